import Policy
import Settings
import System

/// Finds applications that can be reached past the proxy: they listen on every address of the host, although the proxy
/// reaches them over loopback.
enum ApplicationExposure {
    /// A plaintext upstream on this host, with its position in the settings.
    struct Application {
        let endpoint: Endpoint
        let position: Position
    }

    /// The loopback endpoints of inbound routes; not those of transparent listeners, to which the firewall sends what
    /// other hosts send to the application.
    static func applications(of settings: Settings, _ sources: SourceMap) -> [Application] {
        var applications: [Application] = []
        for (listenerIndex, listener) in settings.listeners.enumerated()
        where listener.mode == .inbound && listener.transparency == .off {
            for (routeIndex, route) in listener.routes.enumerated() {
                guard case .endpoints(let endpoints) = route.upstream.target else { continue }
                for (index, endpoint) in endpoints.enumerated() {
                    guard case .address(let endpoint) = endpoint, endpoint.address.isLoopback else { continue }
                    let position = sources.endpoint(index, ofRoute: routeIndex, ofListener: listenerIndex)
                    applications.append(Application(endpoint: endpoint, position: position))
                }
            }
        }
        return applications
    }

    /// - Parameter boundByUs: addresses that the settings bind.
    static func warnings(_ applications: [Application], boundByUs: [Endpoint]) -> [SettingsFlaw] {
        guard !applications.isEmpty else { return [] }
        let table = SocketTable(
            v4: FileContents.beginning(path: "/proc/self/net/tcp", limitBytes: tableBytes),
            v6: FileContents.beginning(path: "/proc/self/net/tcp6", limitBytes: tableBytes))
        return warnings(applications, boundByUs: boundByUs, table)
    }

    static func warnings(
        _ applications: [Application], boundByUs: [Endpoint], _ table: SocketTable
    ) -> [SettingsFlaw] {
        applications.filter { application in
            table.isOpenToAll(application.endpoint) && !boundByUs.contains { $0.port == application.endpoint.port }
        }.map { application in
            SettingsFlaw(
                .warning, at: application.position,
                "the application at \(application.endpoint) listens on every address of this host and can be reached"
                    + " without this proxy and its policy: let it listen on \(application.endpoint.address) alone")
        }
    }

    /// Enough for about four hundred listening sockets, which the kernel lists before all others.
    private static let tableBytes = 64 << 10
}

/// The listening sockets in `/proc/self/net/tcp` and `tcp6`.
struct SocketTable {
    private struct Listener: Hashable {
        let address: Substring
        let port: UInt16
    }

    private var v4: Set<Listener> = []
    private var v6: Set<Listener> = []

    init(v4: String, v6: String) {
        self.v4 = Self.listeners(v4)
        self.v6 = Self.listeners(v6)
    }

    /// Whether the endpoint is served by a wildcard bind, and by no narrower one.
    func isOpenToAll(_ endpoint: Endpoint) -> Bool {
        let everyV6 = v6.contains(Listener(address: Self.everyV6, port: endpoint.port))
        switch endpoint.address {
        case .v4(let address):
            if v4.contains(Listener(address: Self.text(address.byteSwapped), port: endpoint.port)) { return false }
            // An IPv6 socket accepts IPv4 too, unless it is IPV6_V6ONLY.
            return v4.contains(Listener(address: Self.everyV4, port: endpoint.port)) || everyV6
        case .v6(let high, let low):
            let words = [high >> 32, high, low >> 32, low].map { Self.text(UInt32(truncatingIfNeeded: $0).byteSwapped) }
            if v6.contains(Listener(address: words.joined()[...], port: endpoint.port)) { return false }
            return everyV6
        }
    }

    /// Lines such as `   0: 0100007F:1F90 00000000:0000 0A ...`; 0A is the listening state.
    private static func listeners(_ table: String) -> Set<Listener> {
        var found: Set<Listener> = []
        for line in table.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: true)
            guard words.count > 3 else { break }
            if words[0] == "sl" { continue }
            // Connections follow.
            guard words[3] == "0A" else { break }
            guard let colon = words[1].lastIndex(of: ":"),
                let port = UInt16(words[1][words[1].index(after: colon)...], radix: 16)
            else { continue }
            found.insert(Listener(address: words[1][..<colon], port: port))
        }
        return found
    }

    private static func text(_ word: UInt32) -> Substring {
        let digits = String(word, radix: 16, uppercase: true)
        return (String(repeating: "0", count: 8 - digits.count) + digits)[...]
    }

    private static let everyV4 = Substring(String(repeating: "0", count: 8))
    private static let everyV6 = Substring(String(repeating: "0", count: 32))
}
