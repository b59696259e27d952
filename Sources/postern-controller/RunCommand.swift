import ArgumentParser
import Commands
import Control
import Glibc
import KubernetesAPI
import Logging
import PolicyController
import Settings
import Telemetry

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Compile policies until SIGTERM.",
        discussion: """
            Reads PosternPolicies, pods and ConfigMaps, and writes the ConfigMaps of workloads and the status of \
            policies. In a pod it finds the API server by itself. Run one replica: a second one would write the same.
            Exit codes: 0 ended by SIGTERM or SIGINT, 1 it cannot listen, 2 bad input.
            """)

    @Option(help: ArgumentHelp("A namespace to look after; repeatable. All without it.", valueName: "name"))
    var namespace: [String] = []

    @Option(help: ArgumentHelp("The ConfigMap with the settings of a namespace.", valueName: "name"))
    var baseSettings = "postern-settings"

    @Option(help: ArgumentHelp("Where to listen for probes and metrics.", valueName: "endpoint"))
    var adminListen = EndpointArgument("[::]:8081")

    @Option(help: ArgumentHelp("The API server, such as https://10.0.0.1:6443; outside of a pod.", valueName: "URL"))
    var server: String?

    @Option(help: ArgumentHelp("With --server: its authorities, PEM.", valueName: "file"))
    var serverCA: String?

    @Option(help: ArgumentHelp("With --server: the file of the token.", valueName: "file"))
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "The least severe level that is logged: debug, info, notice, warning or error.",
            valueName: "level"))
    var logLevel = LogLevelArgument(level: .info)

    func validate() throws {
        guard server != nil || (serverCA == nil && tokenFile == nil) else {
            throw ValidationError("--server-ca and --token-file go with --server")
        }
        guard !baseSettings.hasSuffix(Reconciler.suffix) else {
            throw ValidationError("--base-settings must not end in \(Reconciler.suffix), as what is written does")
        }
    }

    func run() throws {
        // Must come first, while there is one thread: all others inherit the blocked signals.
        let loop = try ControlLoop()
        let (level, format) = (logLevel.level, LineLogHandler.naturalFormat())
        let logger = Logger(label: "postern-controller") { LineLogHandler(label: $0, level: level, format: format) }
        let client = APIClient(try apiServer(), userAgent: "postern-controller/\(BuildInfo.version)")
        let controller = try Controller(
            client, baseName: baseSettings, namespaces: namespace.isEmpty ? nil : namespace, logger: logger)
        let admin = try AdminServer(
            on: loop, address: adminListen.endpoint.address, port: adminListen.endpoint.port,
            readiness: .notReady(reason: "the cluster's objects are not read yet"))
        admin.metrics = { Self.write(controller.report, to: &$0) }
        try controller.start()
        logger.notice(
            "serving",
            metadata: [
                "version": "\(BuildInfo.version)", "adminPort": .stringConvertible(admin.port ?? 0),
                "server": "\(client.server.host)",
                "namespaces": "\(namespace.isEmpty ? "all" : namespace.joined(separator: ","))",
            ])
        while loop.next(timeoutMilliseconds: 250) != .terminate {
            if controller.report.isSynchronized { admin.readiness = .ready }
        }
        logger.notice("ended")
        // Writes are whole or not at all, and the next start finds what is missing. `exit` would unload libraries under
        // threads that run.
        _exit(ExitCode.success.rawValue)
    }

    private func apiServer() throws(BadInput) -> APIServer {
        do throws(APIFault) {
            guard let server else { return try .inCluster() }
            return try APIServer(url: server, authorities: serverCA, tokenFile: tokenFile)
        } catch {
            throw BadInput("\(error)")
        }
    }

    private static func write(_ report: Controller.Report, to text: inout PrometheusText) {
        let figures = report.figures
        text.write(ControllerMetrics.policies, figures.policies)
        text.write(ControllerMetrics.refusedPolicies, figures.refusedPolicies)
        text.write(ControllerMetrics.workloads, figures.workloads)
        text.write(ControllerMetrics.failedWorkloads, figures.failedWorkloads)
        text.write(ControllerMetrics.writes, report.writes)
        text.write(ControllerMetrics.conflicts, report.conflicts)
        text.write(ControllerMetrics.failures, report.failures)
        text.write(ControllerMetrics.interruptions, report.interruptions)
    }
}

/// All metrics of the controller.
enum ControllerMetrics {
    static let policies = MetricFamily.gauge("postern_controller_policies", "PosternPolicies.")
    static let refusedPolicies = MetricFamily.gauge(
        "postern_controller_refused_policies", "PosternPolicies whose present version is not accepted.")
    static let workloads = MetricFamily.gauge(
        "postern_controller_workloads", "ConfigMaps that are written here.")
    static let failedWorkloads = MetricFamily.gauge(
        "postern_controller_failed_workloads", "Of these, those that are not what they must be.")
    static let writes = MetricFamily.counter("postern_controller_writes_total", "Objects written.")
    static let conflicts = MetricFamily.counter(
        "postern_controller_conflicts_total", "Writes of an object that had changed meanwhile.")
    static let failures = MetricFamily.counter(
        "postern_controller_write_failures_total", "Other writes that failed.")
    static let interruptions = MetricFamily.counter(
        "postern_controller_interruptions_total", "Lists and watches that failed.")
}
