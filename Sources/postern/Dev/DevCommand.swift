import ArgumentParser
import Control
import Glibc
import Logging

struct DevCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract:
            "Run a demo pair with freshly issued certificates: one call is allowed, one refused.",
        usage: "postern dev [-- <command> ...]",
        discussion: """
            An outbound and an inbound Postern run in front of a built-in echo application, or of COMMAND, which is \
            started with PORT in its environment and must listen on 127.0.0.1:$PORT. Needs no network, root or files; \
            Ctrl-C stops everything and removes the certificates.
            """)

    @Argument(parsing: .postTerminator, help: "The application's command line.")
    var command: [String] = []

    func run() throws {
        // Must come first, while there is one thread: all others inherit the blocked signals.
        let loop = try ControlLoop()
        let site = try DevSite(withApplication: !command.isEmpty)
        var demo = DevDemo(
            site: site, loop: loop,
            logger: Logger(label: "postern") {
                LineLogHandler(label: $0, level: .warning, format: LineLogHandler.naturalFormat())
            })
        if !command.isEmpty { try demo.startApplication(command) }
        try demo.startProxies()
        let status = demo.serve()
        guard status == 0 else { throw ExitCode(status) }
    }
}
