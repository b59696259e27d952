import ArgumentParser
import Commands
import Control
import DataPlane
import Glibc
import Settings
import System

struct AwaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "await",
        abstract: "Wait until a proxy is ready, and then run a command if one is given.",
        usage: """
            postern await --ready --admin <address> [--timeout <duration>] [-- <command> ...]
            postern await --ready --config <file> [--timeout <duration>] [-- <command> ...]
            """,
        discussion: """
            It asks /readyz of the proxy's admin endpoint every 50 ms until the answer is 200. A command then takes \
            its place: the same process, with the same environment and streams.
            Exit codes: 0 ready, 1 not ready in time, with the last reason on standard error, 2 bad input, 126 or 127 \
            the command cannot be run; else the command's own.
            """)

    @Flag(help: "Wait for /readyz.")
    var ready = false

    @Option(
        help: ArgumentHelp(
            "The admin endpoint: 127.0.0.1:9901, or unix:/run/postern/admin.sock.", valueName: "address"))
    var admin: String?

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("In place of --admin: the proxy's settings file (YAML), which names it.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("How long to wait at most.", valueName: "duration"))
    var timeout = DurationArgument(seconds: 60)

    @Argument(parsing: .postTerminator, help: "What to run once the proxy is ready.")
    var command: [String] = []

    func validate() throws {
        guard ready else { throw ValidationError("say what to wait for: --ready") }
        guard (admin == nil) != (config == nil) else { throw ValidationError("give one of --admin and --config") }
    }

    func run() throws {
        StopSignals.endProcess()
        let address = try address()
        let deadline = MonotonicClock.milliseconds() + Int64(timeout.milliseconds)
        var reason = "the time-out is 0"
        repeat {
            let left = max(deadline - MonotonicClock.milliseconds(), Self.shortestMilliseconds)
            switch ReadinessQuestion(address: address, milliseconds: min(left, Self.patienceMilliseconds)).answer() {
            case .ready:
                if !command.isEmpty { try replaceProcess() }
                return
            case .notReady(let why): reason = why
            }
            let pause = min(Self.pauseMilliseconds, deadline - MonotonicClock.milliseconds())
            if pause > 0 { usleep(UInt32(pause) * 1_000) }
        } while MonotonicClock.milliseconds() < deadline
        Console.complain("error: not ready within \(timeout): \(reason)")
        throw ExitCode.failure
    }

    private func address() throws -> SocketAddress {
        if let admin { return try Self.address(parsing: admin) }
        let path = config ?? ""
        let outcome = Settings.load(path: path, endpointSocket: WorkloadEnvironment.endpointSocket)
        guard let settings = outcome.settings else {
            Console.complain(outcome.flaws)
            throw ExitCode.badInput
        }
        if let bind = settings.admin?.bind, bind.port != 0 {
            let address = SocketAddress(bind)
            return address.isWildcard ? address.onLoopback : address
        }
        if let socket = settings.admin?.socket { return SocketAddress(unix: socket.address.name) }
        throw BadInput(
            "\(path): it names no admin endpoint with a port or a socket: give `admin.bind` or `admin.socket`")
    }

    private static func address(parsing text: String) throws -> SocketAddress {
        if text.hasPrefix("unix:") || text.hasPrefix("/") {
            let path = text.hasPrefix("unix:") ? String(text.dropFirst("unix:".count)) : text
            guard path.hasPrefix("/"), path.utf8.count < 108 else {
                throw BadInput("\"\(text)\" is no Unix socket: write unix:/run/postern/admin.sock")
            }
            return SocketAddress(unix: path)
        }
        do throws(EndpointFlaw) {
            return SocketAddress(try Endpoint(parsing: text))
        } catch {
            throw BadInput("\"\(text)\" is no address of an admin endpoint: \(error)")
        }
    }

    private func replaceProcess() throws {
        var words = unsafe command.map { unsafe strdup($0) } + [nil]
        // The arguments end with nil. It returns only if it fails.
        _ = unsafe execvp(words[0]!, &words)
        let code = errno
        for index in unsafe words.indices { unsafe free(words[index]) }
        Console.complain("error: cannot run \(command[0]): \(systemMessage(code))")
        throw ExitCode(code == ENOENT ? 127 : 126)
    }

    private static let pauseMilliseconds: Int64 = 50
    /// For one answer.
    private static let patienceMilliseconds: Int64 = 1_000
    /// With which even `--timeout 0s` asks once.
    private static let shortestMilliseconds: Int64 = 100
}
