import ArgumentParser

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check PosternPolicies before they are applied.",
        discussion: """
            Reads manifests (YAML or JSON) and says of each PosternPolicy what the controller would say in its status; \
            other objects are passed over.
            Exit codes: 0 sound, 2 flawed; each flaw goes to standard error.
            """)

    @OptionGroup var manifests: PolicyManifests

    func run() throws { _ = try manifests.check() }
}
