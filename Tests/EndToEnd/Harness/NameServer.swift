import Glibc
import Loopback
import PosternTesting

/// dnsmasq as the DNS server of a test, on a loopback port of its own.
final class NameServer {
    let address: SocketAddress
    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// - Parameters:
    ///   - hosts: names with their addresses; every other name of `test` does not exist.
    ///   - services: SRV records, as dnsmasq's `--srv-host` takes them.
    init(_ hosts: [String: [String]], services: [String] = [], ttl: Int = 1, in folder: TemporaryFolder) throws {
        self.folder = folder
        address = SocketAddress(port: try TCPListener.freePort())
        let file = try Self.write(hosts, to: folder)
        process = try ChildProcess(
            [
                "dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--user=root",
                "--pid-file",
                "--port=\(address.port)", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv",
                "--no-hosts",
                "--local=/test/", "--local-ttl=\(ttl)", "--addn-hosts=\(file)",
            ] + services.map { "--srv-host=\($0)" })
        // TCP: it answers there, too.
        guard eventually({ (try? TCPConnection.connect(to: address)) != nil }) else {
            throw HarnessFault.peerNotReady("dnsmasq", log: process.standardError.text)
        }
    }

    deinit { process.stop() }

    /// The part of `resolve` that names it.
    var setting: String { "server: \"\(address)\"" }

    /// Answers by these from now on.
    func replace(_ hosts: [String: [String]]) throws {
        _ = try Self.write(hosts, to: folder)
        process.signal(SIGHUP)
    }

    /// Answers nothing any more.
    func stop() { process.stop() }

    private static func write(_ hosts: [String: [String]], to folder: TemporaryFolder) throws -> String {
        let lines = hosts.flatMap { name, addresses in addresses.map { "\($0) \(name)" } }
        return try folder.write(lines.joined(separator: "\n") + "\n", to: "dns-hosts")
    }
}
