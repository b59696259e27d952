import Glibc
import Loopback
import PosternTesting

/// The proxies that can be measured.
enum ProxyKind: String, CaseIterable, Sendable {
    case haproxy, nginx, postern
    case posternEpoll = "postern-epoll"
    case posternIOUring = "postern-io_uring"

    /// nginx is measured without resumption only: its upstream side keeps one session per worker, whatever the
    /// configuration.
    var hasResumption: Bool { self != .nginx }
}

/// The ports of a pair.
struct PairPorts: Sendable {
    /// Plaintext in, mutual TLS to `inbound`.
    let outbound: SocketAddress
    /// Mutual TLS in, plaintext to the backend.
    let inbound: SocketAddress
    /// Plaintext in, mutual TLS through the tap to `inbound`.
    let tapped: SocketAddress

    init() throws(SocketFault) {
        // All bound at once, so that they are distinct.
        let listeners = [try TCPListener(), try TCPListener(), try TCPListener()]
        outbound = listeners[0].address
        inbound = listeners[1].address
        tapped = listeners[2].address
    }
}

/// One process with both halves of a pair, on the proxies' core.
final class ProxyPair {
    let kind: ProxyKind
    let resumption: Bool
    let process: ChildProcess
    /// Time from the start of the process to the first echoed byte.
    let startMilliseconds: Double
    let address: SocketAddress
    private let site: Site
    let ports: PairPorts
    let tap: Tap

    /// Starts the pair and waits until a byte has been echoed through it, directly and through the tap.
    ///
    /// - Parameters:
    /// - capacity: the number of connections the process may relay at a time.
    /// - wrapper: a command to run the proxy under, such as valgrind.
    init(
        _ kind: ProxyKind, resumption: Bool, site: Site, plan: Plan, capacity: Int = 9_000, wrapper: [String] = []
    ) throws {
        self.kind = kind
        self.resumption = resumption
        self.site = site
        ports = try PairPorts()
        tap = try Tap(to: ports.inbound)
        address = ports.outbound
        let name = "\(kind.rawValue)\(resumption ? "-resuming" : "")"
        let settings = PairSettings(
            site: site, ports: ports, tap: tap.address, resumption: resumption, capacity: capacity, name: name)
        let command = try settings.command(for: kind)
        let start = ContinuousClock.now
        process = try ChildProcess(wrapper + command, core: plan.proxyCore)
        let isReady = Self.echoes(ports.outbound, within: .seconds(30), while: process)
        startMilliseconds = (ContinuousClock.now - start) / .milliseconds(1)
        guard isReady, Self.echoes(ports.tapped, within: .seconds(30), while: process) else {
            throw BenchFault.proxyNotReady(label, log: recentLog)
        }
    }

    deinit { process.stop() }

    var label: String { kind.rawValue + (resumption ? " (resuming)" : "") }

    /// Fails unless the halves negotiated the common TLS parameters and require certificates.
    func assertNegotiation() throws {
        // Sessions are kept per upstream, so the second connection through the tap resumes the first one's session.
        for _ in 0..<(resumption ? 2 : 1) {
            guard Self.echoes(ports.tapped, within: .seconds(5), while: process) else {
                throw BenchFault.proxyNotReady(label, log: recentLog)
            }
        }
        let hellos = tap.serverHellos
        let expected = ServerHello(resumed: resumption)
        guard let last = hellos.last, last == expected else {
            throw BenchFault.negotiated(label, got: hellos.last?.description ?? "nothing", expected: "\(expected)")
        }
        let anonymous = try ChildProcess([
            "openssl", "s_client", "-connect", "\(ports.inbound)", "-CAfile", site.bundle, "-quiet",
        ])
        defer { anonymous.stop() }
        anonymous.write(Array("Ex".utf8))
        guard anonymous.standardOutput.awaitBytes(1, within: .seconds(2)) == nil else {
            throw BenchFault.acceptsWithoutCertificate(label)
        }
    }

    private var recentLog: String { process.standardError.lines.suffix(20).joined(separator: "\n") }

    private static func echoes(_ way: SocketAddress, within limit: Duration, while process: ChildProcess) -> Bool {
        let deadline = Deadline.within(limit)
        while !deadline.hasPassed, process.isRunning {
            do throws(SocketFault) {
                let connection = try TCPConnection.connect(to: way)
                try connection.send([Backend.Mode.echo.rawValue, 7], within: .seconds(2))
                if try connection.receive(exactly: 1, within: .seconds(5)) == [7] { return true }
            } catch {
                usleep(500)
            }
        }
        return false
    }
}
