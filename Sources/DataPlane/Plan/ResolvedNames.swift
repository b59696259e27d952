import Policy
public import Resolution
public import Settings
public import System

/// The addresses that names of endpoints stand for now.
public struct ResolvedNames: Equatable, Sendable {
    /// A name without an entry, or with an empty one, has no address yet.
    public var answers: [NameQuestion: [ResolvedAddress]]

    public init(_ answers: [NameQuestion: [ResolvedAddress]] = [:]) { self.answers = answers }
}

/// An address that a route may dial, and its part among the others.
public struct PlannedEndpoint: Hashable, Sendable {
    public let address: SocketAddress
    /// Of a name with SRV records, the rank of the priority; else 0.
    var tier: UInt16 = 0
    var weight: UInt16 = 1
    /// Set if its host has addresses of both families: which host of all that the route names.
    var name: Int?
    /// Of such a name, whether it is of the family that the system does not prefer.
    var isOtherFamily = false

    init(_ endpoint: Endpoint) { address = SocketAddress(endpoint) }
    init(_ socket: UnixAddress) { address = SocketAddress(unix: socket.name) }
}

extension UpstreamSettings {
    /// What to dial: in the order of the settings, and of one name in the order of its answer; each address once.
    ///
    /// Where the settings allow this host alone, an answer that names another one is not used: whoever answers must not
    /// choose where plaintext goes.
    public func endpoints(_ names: ResolvedNames) -> [PlannedEndpoint] {
        guard case .endpoints(let list) = target else { return [] }
        var seen: Set<SocketAddress> = []
        var planned: [PlannedEndpoint] = []
        for (index, endpoint) in list.enumerated() {
            let answer = NameQuestion(endpoint, resolve).flatMap { names.answers[$0] } ?? []
            for found in endpoint.planned(index, answer.filter { allowsRemote || $0.address.isLoopback }) {
                guard planned.count < Self.addressesAtMost, seen.insert(found.address).inserted else { continue }
                planned.append(found)
            }
        }
        return planned
    }

    private static var addressesAtMost: Int { 4_096 }
}

extension UpstreamEndpoint {
    fileprivate func planned(_ index: Int, _ answer: [ResolvedAddress]) -> [PlannedEndpoint] {
        switch self {
        case .address(let endpoint): return [PlannedEndpoint(endpoint)]
        case .unix(let socket): return [PlannedEndpoint(socket)]
        case .host(_, let port):
            let hosts = Hosts(answer, index)
            return answer.map { found in
                var planned = PlannedEndpoint(Endpoint(address: found.address, port: port))
                (planned.name, planned.isOtherFamily) = hosts.place(of: found)
                return planned
            }
        case .service:
            let hosts = Hosts(answer, index)
            let priorities = Set(answer.map(\.priority)).sorted()
            return answer.compactMap { found in
                guard let port = found.port else { return nil }
                var planned = PlannedEndpoint(Endpoint(address: found.address, port: port))
                planned.tier = UInt16(clamping: priorities.firstIndex(of: found.priority) ?? 0)
                planned.weight = found.weight
                (planned.name, planned.isOtherFamily) = hosts.place(of: found)
                return planned
            }
        }
    }
}

/// The hosts of an answer that have addresses of both families: the name itself, or the targets of SRV records, each
/// with its port.
private struct Hosts {
    private let answer: [ResolvedAddress]
    /// The index of the endpoint in the settings.
    private let index: Int
    private let targets: [String]

    init(_ answer: [ResolvedAddress], _ index: Int) {
        self.answer = answer
        self.index = index
        let families = Dictionary(grouping: answer, by: Self.host).mapValues { Set($0.map(\.isIPv6)) }
        targets = families.filter { $0.value.count == 2 }.keys.sorted()
    }

    /// Which host of both families the address belongs to, and whether it is of the family that is not preferred.
    func place(of found: ResolvedAddress) -> (name: Int?, isOtherFamily: Bool) {
        guard let target = targets.firstIndex(of: Self.host(found)) else { return (nil, false) }
        return (index * Self.targetsAtMost + target, found.isIPv6 != answer[0].isIPv6)
    }

    private static func host(_ found: ResolvedAddress) -> String { "\(found.target ?? "") \(found.port ?? 0)" }

    /// More than an answer has records.
    private static let targetsAtMost = 1_024
}
