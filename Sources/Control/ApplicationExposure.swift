import Policy
import Settings
import System

/// Applications that can be reached without the proxy: they listen on every address of the host, although the proxy
/// reaches them over loopback.
enum ApplicationExposure {
    /// Where plaintext goes on this host, and the place in the settings that says so.
    struct Application {
        let endpoint: Endpoint
        let position: Position
    }

    /// The endpoints of inbound routes that are loopback addresses.
    static func applications(of settings: Settings, _ sources: SourceMap) -> [Application] {
        var applications: [Application] = []
        for (listenerIndex, listener) in settings.listeners.enumerated() where listener.mode == .inbound {
            for (routeIndex, route) in listener.routes.enumerated() {
                guard case .endpoints(let endpoints) = route.upstream.target else { continue }
                for (index, endpoint) in endpoints.enumerated() where endpoint.address.isLoopback {
                    let position = sources.endpoint(index, ofRoute: routeIndex, ofListener: listenerIndex)
                    applications.append(Application(endpoint: endpoint, position: position))
                }
            }
        }
        return applications
    }

    /// - Parameter boundByUs: what the settings bind themselves.
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
                "the application at \(application.endpoint) listens on every address of this host, so that it can be reached"
                    + " without this proxy and its policy: let it listen on \(application.endpoint.address) alone")
        }
    }

    /// Some four hundred sockets that listen; the kernel tells of them first, and of the many others after them.
    private static let tableBytes = 64 << 10
}

/// The sockets that listen, as the kernel's `/proc/self/net/tcp` and `tcp6` tell.
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

    /// What answers there is bound to every address, and to no narrower one.
    func isOpenToAll(_ endpoint: Endpoint) -> Bool {
        let everyV6 = v6.contains(Listener(address: Self.everyV6, port: endpoint.port))
        switch endpoint.address {
        case .v4(let address):
            if v4.contains(Listener(address: Self.text(address.byteSwapped), port: endpoint.port)) { return false }
            // A socket of IPv6 takes IPv4 too, unless it was told not to.
            return v4.contains(Listener(address: Self.everyV4, port: endpoint.port)) || everyV6
        case .v6(let high, let low):
            let words = [high >> 32, high, low >> 32, low].map { Self.text(UInt32(truncatingIfNeeded: $0).byteSwapped) }
            if v6.contains(Listener(address: words.joined()[...], port: endpoint.port)) { return false }
            return everyV6
        }
    }

    /// Lines such as `   0: 0100007F:1F90 00000000:0000 0A ...`; 0A is the state of a socket that listens.
    private static func listeners(_ table: String) -> Set<Listener> {
        var found: Set<Listener> = []
        for line in table.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: true)
            guard words.count > 3 else { break }
            if words[0] == "sl" { continue }
            // What follows are connections.
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
