import ArgumentParser
import Commands
import Control

struct MonitoringCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitoring",
        abstract: "Print alert rules of Prometheus, or a dashboard of Grafana.",
        subcommands: [Alerts.self, Grafana.self])

    struct Alerts: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print alert rules for Prometheus (YAML), for its `rule_files`.")

        func run() throws { Console.write(AlertRule.file) }
    }

    struct Grafana: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print a dashboard for Grafana's import (JSON).")

        func run() throws { Console.write(Dashboard.json) }
    }
}
