import ArgumentParser

@main
struct Postern: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A userspace mTLS sidecar proxy that authorizes by SPIFFE ID before it forwards a byte."
    )
}
