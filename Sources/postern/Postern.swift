import ArgumentParser
import Authority
import Commands
import Control
import EventLoop
import Settings

/// The command line. Exit codes: 0 success, 1 refused or failed, 2 bad input, 3 connections cut at the drain.
@main
struct Postern: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A userspace mTLS sidecar proxy that authorizes by SPIFFE ID before it forwards a byte.",
        discussion: """
            New here? `postern dev` shows an allowed and a refused call with certificates made on the spot.
            """,
        // Asking OpenSSL what it has takes time, and decides for a module of it.
        version: CommandLine.arguments.contains("--version") ? buildInfo : version,
        subcommands: [
            RunCommand.self, CheckCommand.self, ExplainCommand.self, LoadCommand.self, DevCommand.self, CACommand.self,
            RedirectCommand.self, InjectCommand.self, KubernetesCommand.self, ValidateCommand.self, AwaitCommand.self,
            DoctorCommand.self, PolicyCommand.self, SchemaCommand.self, MonitoringCommand.self,
        ]
    )

    static let version = BuildInfo.version
    private static var buildInfo: String {
        BuildInfo.text(of: "postern", libraries: ["liburing \(IOURingVersion.text)"])
    }

    static func main() { runAndExit() }
}

extension ControlFault: DescribedFault {}
extension ProxyFault: DescribedFault {}
extension DevFault: DescribedFault {}
extension PKIFault: InputFault {}
