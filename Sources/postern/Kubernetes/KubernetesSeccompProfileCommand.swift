import ArgumentParser
import Commands
import Kubernetes

struct KubernetesSeccompProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seccomp-profile",
        abstract: "Print a seccomp profile for the proxy in which io_uring is allowed.",
        discussion: """
            Each node has it in a folder below /var/lib/kubelet/seccomp; the annotation postern.dev/seccomp-profile of \
            a pod names it there. RuntimeDefault refuses io_uring, and the proxy then uses epoll.
            """)

    func run() throws { try KubernetesOutput.write(SeccompProfile.json) }
}
