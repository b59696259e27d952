import ArgumentParser
import Glibc
import Loopback
import PosternTesting

/// Loads pairs of proxies: plaintext client -> proxy -> mutual TLS -> proxy -> plaintext backend.
@main
struct PosternBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern-bench", abstract: "Measures and soaks pairs of proxies.",
        subcommands: [Compare.self, Soak.self], defaultSubcommand: Compare.self)
}

/// The path of a program in this one's folder.
func siblingPath(_ name: String) -> String {
    let own = ProcessFigures.linkTarget("/proc/self/exe") ?? ""
    return own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/" + name
}

/// Progress goes to standard error, so that standard output has only results.
func say(_ text: String) {
    let line = Array("\(text)\n".utf8)
    // The array outlives the call.
    _ = unsafe line.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
}
