import ArgumentParser
import Commands

struct KubernetesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubernetes",
        abstract: "Print what Postern needs in a Kubernetes cluster.",
        discussion: """
            Nothing here talks to a cluster: `kubectl apply -f -` does, or Helm.
            Exit codes: 0 done, 1 the output cannot be written, 2 bad input.
            """,
        subcommands: [
            KubernetesManifestsCommand.self, KubernetesChartCommand.self, KubernetesNamespaceCommand.self,
            KubernetesSeccompProfileCommand.self,
        ])
}
