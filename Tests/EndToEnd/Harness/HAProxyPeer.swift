import Loopback
import PosternTesting

/// HAProxy as one half of a pair.
final class HAProxyPeer {
    enum Half {
        /// Plaintext in, mutual TLS to the address.
        case client(to: SocketAddress)
        /// Mutual TLS in, plaintext to the address.
        case server(to: SocketAddress)
    }

    let process: ChildProcess
    let address: SocketAddress

    init(_ half: Half, as role: TestIdentities.Role, folder: TemporaryFolder) throws {
        address = SocketAddress(port: try TCPListener.freePort())
        let credentials =
            "ssl crt \(folder.file("\(role.rawValue)-both.pem")) ca-file \(folder.file("bundle.pem")) verify required"
        let lines =
            switch half {
            case .client(let target): ["bind \(address)", "server peer \(target) \(credentials) no-ssl-reuse"]
            case .server(let target): ["bind \(address) \(credentials)", "server application \(target)"]
            }
        let settings = """
            global
                nbthread 1
                maxconn 2000
            defaults
                mode tcp
                retries 0
                timeout connect 5s
                timeout client 60s
                timeout server 60s
            listen half
                \(lines.joined(separator: "\n    "))

            """
        let path = try folder.write(settings, to: "haproxy-\(address.port).cfg")
        process = try ChildProcess(["haproxy", "-db", "-f", path])
        let address = address
        let process = process
        guard eventually({ !process.isRunning || (try? TCPConnection.connect(to: address)) != nil }), process.isRunning
        else { throw HarnessFault.peerNotReady("haproxy", log: process.standardError.text) }
    }
}
