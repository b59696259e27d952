/// The TCP ports from `lower` to `upper`, both included; never port 0.
public struct PortRange: Hashable, Sendable {
    public let lower: UInt16
    public let upper: UInt16

    /// Nil unless 1 <= lower <= upper.
    public init?(lower: UInt16, upper: UInt16) {
        guard lower > 0, lower <= upper else { return nil }
        self.lower = lower
        self.upper = upper
    }

    /// Parses `443` or `8000-8999`.
    public init(parsing text: String) throws(PortRangeFlaw) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, let lower = Self.port(parts[0]), let upper = Self.port(parts[parts.count - 1]) else {
            throw .notAPort
        }
        guard let range = PortRange(lower: lower, upper: upper) else {
            throw .reversed(suggestion: "\(upper)-\(lower)")
        }
        self = range
    }

    public func contains(_ port: UInt16) -> Bool {
        lower <= port && port <= upper
    }

    /// Whether every port of `other` is in this range.
    public func contains(_ other: PortRange) -> Bool {
        lower <= other.lower && other.upper <= upper
    }

    private static func port(_ text: Substring) -> UInt16? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            text.utf8.first != UInt8(ascii: "0")
        else { return nil }
        return UInt16(text)
    }
}

extension PortRange: CustomStringConvertible {
    public var description: String { lower == upper ? "\(lower)" : "\(lower)-\(upper)" }
}
