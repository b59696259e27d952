import ApplicationHealth
import ArgumentParser
import Commands
import Control
import Glibc
import Identity
import Logging
import Policy
import Settings
import SVID
import System
import TLS

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the proxy.",
        discussion: """
            SIGTERM or SIGINT drains: /readyz says so at once, inbound listeners accept for limits.drainDelay, \
            outbound ones until nothing is open any more, and open connections may finish within \
            limits.drainTimeout; a second signal more than a second later cuts at once. The settings file and the \
            files that it names are watched, and reloaded unless they are flawed; SIGHUP or SIGUSR1 reloads them at \
            once, and reopens the access log.
            Exit codes: 0 clean, 1 a worker failed, 2 bad settings, 3 connections were cut.
            """)

    @OptionGroup var config: ConfigOption
    @OptionGroup var guardrails: GuardrailOption

    @Option(help: ArgumentHelp("In place of limits.drainDelay.", valueName: "duration"))
    var drainDelay: DurationArgument?

    @Option(help: ArgumentHelp("In place of limits.drainTimeout.", valueName: "duration"))
    var drainTimeout: DurationArgument?

    func validate() throws {
        for (name, value) in [("--drain-delay", drainDelay), ("--drain-timeout", drainTimeout)] {
            guard let value, value.milliseconds > 3_600_000 else { continue }
            throw ValidationError("\(name) \(value) is more than 1h")
        }
    }

    func run() throws {
        // Both must come first, while there is one thread: all others inherit the blocked signals.
        let inherited = Result { () throws(InheritanceFlaw) in try InheritedDescriptors.take() }
        let loop = try ControlLoop()
        let checked = CheckedSettings.load(
            toRun: config.path, guardrails: guardrails.path, now: WallClock.seconds())
        guard let ready = checked.ready else {
            (checked.settings?.log ?? LogSettings()).complain(checked.flaws)
            throw ExitCode.badInput
        }
        let logger = ready.settings.log.logger()
        for flaw in checked.flaws { logger.log(level: flaw.severity == .error ? .error : .warning, "\(flaw)") }
        logger.info(
            "starting",
            metadata: [
                "version": "\(Postern.version)", "id": "\(ready.material?.id.description ?? "from the Workload API")",
                "library": "\(TLSLibrary.version)", "keyExchange": "\(ready.keyExchange)",
            ])
        let connections = ready.settings.limits.connections
        let descriptors = DescriptorLimit.raise()
        if descriptors < DescriptorLimit.needed(connections: connections) {
            logger.warning(
                "the descriptor limit allows fewer connections than limits.connections",
                metadata: [
                    "descriptors": .stringConvertible(descriptors), "connections": .stringConvertible(connections),
                ])
        }
        let probes: ProbeList?
        let podAddresses: [IPAddress]
        do throws(ProbeListFlaw) {
            probes = try HealthEnvironment.probes(hasAdmin: ready.settings.admin != nil)
            podAddresses = try HealthEnvironment.addresses()
        } catch {
            ready.settings.log.complain("\(error)")
            throw ExitCode.badInput
        }
        let sockets: InheritedDescriptors
        do throws(InheritanceFlaw) {
            sockets = try inherited.get()
        } catch {
            ready.settings.log.complain("\(error)")
            throw ExitCode.badInput
        }
        let proxy: Proxy
        do throws(ProxyFault) {
            proxy = try Proxy(
                ready, watching: config.path,
                drainTimes: DrainTimes(
                    delayMilliseconds: drainDelay?.milliseconds, timeoutMilliseconds: drainTimeout?.milliseconds),
                probes: probes, podAddresses: podAddresses, inherited: sockets, on: loop, logger: logger)
        } catch {
            ready.settings.log.complain("\(error)")
            throw ExitCode.badInput
        }
        proxy.version = Postern.version
        let end = Self.serve(proxy, loop)
        // The logs are flushed. `exit` would unload libraries under threads that may still poll a bundle endpoint.
        _exit(end.exitCode.rawValue)
    }

    private static func serve(_ proxy: Proxy, _ loop: ControlLoop) -> ProxyEnd {
        while true {
            guard let event = loop.next(timeoutMilliseconds: proxy.tick(now: WallClock.seconds())) else { continue }
            switch proxy.handle(event) {
            case .nothing: break
            case .ready: StartupPages.release()
            case .ended(let end): return end
            }
        }
    }
}

extension ProxyEnd {
    /// Throws the exit code unless the end was clean.
    func check() throws {
        guard exitCode == .success else { throw exitCode }
    }

    var exitCode: ExitCode {
        switch self {
        case .drained, .cutWithoutApplication: .success
        case .cut: .connectionsCut
        case .failed: .failure
        }
    }
}

extension LogSettings {
    /// The process's logger; libevent's messages go there too.
    func logger() -> Logger {
        let format = handlerFormat
        let level = Logger.Level(rawValue: self.level.rawValue) ?? .info
        return Logger(label: "postern") { LineLogHandler(label: $0, level: level, format: format) }
    }

    /// Logs why it cannot run, in the format of the log.
    func complain(_ flaws: [SettingsFlaw]) {
        guard case .json = handlerFormat else { return Console.complain(flaws) }
        let logger = logger()
        for flaw in flaws {
            logger.log(
                level: flaw.severity == .error ? .error : .warning, "\(flaw)",
                metadata: [
                    "file": "\(flaw.position.file)", "line": .stringConvertible(flaw.position.line),
                    "column": .stringConvertible(flaw.position.column),
                ])
        }
    }

    func complain(_ text: String) {
        guard case .json = handlerFormat else { return Console.complain(text) }
        logger().critical("\(text)")
    }

    private var handlerFormat: LineLogHandler.Format {
        switch format {
        case .auto: LineLogHandler.naturalFormat()
        case .json: .json
        case .text: .text
        }
    }
}
