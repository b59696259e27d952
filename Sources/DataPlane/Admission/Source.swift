import Policy
import Settings
import System

/// Identifies clients that have no identity yet: an IPv4 address, or the /64 of an IPv6 one, the smallest block that
/// one customer of a network is given.
struct Source: Hashable {
    private let bits: UInt64
    private let isV4: Bool

    init(_ address: SocketAddress) {
        switch address.endpoint.address {
        case .v4(let address):
            bits = UInt64(address)
            isV4 = true
        case .v6(let high, _):
            bits = high
            isV4 = false
        }
    }
}

/// Counts something per source. It holds no more sources than things are counted.
struct SourceCounts {
    private var counts: [Source: Int] = [:]

    subscript(source: Source) -> Int { counts[source] ?? 0 }

    mutating func add(_ source: Source) { counts[source, default: 0] += 1 }

    mutating func remove(_ source: Source) {
        guard let count = counts[source] else { return }
        counts[source] = count > 1 ? count - 1 : nil
    }
}
