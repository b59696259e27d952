import ArgumentParser
import Commands
import Control
import Glibc
import Injector
import Kubernetes
import Logging
import Settings

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Answer AdmissionReviews.",
        discussion: """
            Serves POST /inject over TLS, and /livez, /readyz and /metrics in plaintext at --admin-listen. The files \
            of the certificate are watched; a flawed one is not taken, and the old one kept. With --self-managed the \
            injector makes and renews it, in a Secret that the replicas share. SIGHUP looks at it at once.
            SIGTERM or SIGINT drains: /readyz says so at once, connections are accepted for --drain-delay, and reviews \
            that are here are answered within --drain-timeout.
            Exit codes: 0 clean, 1 it cannot listen, 2 bad input, 3 reviews were cut.
            """)

    @OptionGroup var certificate: CertificateOptions
    @OptionGroup var injection: InjectionOptions

    @Option(help: ArgumentHelp("Where to listen for reviews.", valueName: "endpoint"))
    var listen = EndpointArgument("[::]:8443")

    @Option(help: ArgumentHelp("Where to listen for probes and metrics.", valueName: "endpoint"))
    var adminListen = EndpointArgument("[::]:8081")

    @Option(
        help: ArgumentHelp("Threads that answer reviews; by default as many as the CPU quota.", valueName: "number"))
    var threads: Int?

    @Option(help: ArgumentHelp("How long to accept after SIGTERM.", valueName: "duration"))
    var drainDelay = DurationArgument(seconds: 5)

    @Option(help: ArgumentHelp("How long to wait for reviews after that.", valueName: "duration"))
    var drainTimeout = DurationArgument(seconds: 15)

    @Option(
        help: ArgumentHelp(
            "The least severe level that is logged: debug, info, notice, warning or error.",
            valueName: "level"))
    var logLevel = LogLevelArgument(level: .info)

    func validate() throws {
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be 1 to 256") }
    }

    func run() throws {
        // Must come first, while there is one thread: all others inherit the blocked signals.
        let loop = try ControlLoop()
        let (level, format) = (logLevel.level, LineLogHandler.naturalFormat())
        let logger = Logger(label: "postern-injector") { LineLogHandler(label: $0, level: level, format: format) }
        let options = Injector.Options(
            listen: listen.endpoint, adminListen: adminListen.endpoint, certificate: try certificate.origin(),
            hosts: certificate.hosts, clients: certificate.clients, threads: threads ?? CPUQuota.workers(),
            drainDelayMilliseconds: drainDelay.milliseconds, drainTimeoutMilliseconds: drainTimeout.milliseconds)
        let started: Injector?
        let injected = try injection.injection()
        do throws(InjectorFault) {
            started = try Injector.start(options, injection: injected, on: loop, logger: logger)
        } catch {
            logger.critical("\(error)")
            if case .certificate = error { throw ExitCode.badInput }
            throw ExitCode.failure
        }
        guard let injector = started else {
            logger.notice("ended", metadata: ["outcome": "before there was a certificate"])
            return
        }
        logger.notice(
            "serving",
            metadata: [
                "version": "\(BuildInfo.version)", "image": "\(injection.image)", "listen": "\(listen)",
                "port": .stringConvertible(injector.port), "adminPort": .stringConvertible(injector.adminPort),
            ])
        if let warning = Injection.warning(ofImage: injection.image) { logger.warning("\(warning)") }
        let end = Self.serve(injector, loop)
        // `exit` would unload libraries under threads that may still answer a review.
        _exit(end == .drained ? ExitCode.success.rawValue : ExitCode.connectionsCut.rawValue)
    }

    private static func serve(_ injector: Injector, _ loop: ControlLoop) -> InjectorEnd {
        while true {
            let (timeout, end) = injector.tick()
            if let end { return end }
            guard let event = loop.next(timeoutMilliseconds: timeout) else { continue }
            if let end = injector.handle(event) { return end }
        }
    }
}
