/// A DNS name of an upstream, in lower case: letters, digits, hyphens and underscores in labels of at most 63 bytes, at
/// most 253 bytes in all (RFC 1035 2.3.4). A final dot says that the search domains of the host are not tried.
public struct HostName: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    /// Nil if the text is no name, or an address without its dots: a last label of digits.
    public init?(parsing text: String) {
        let name = text.lowercased()
        let relative = name.hasSuffix(".") ? name.dropLast() : name[...]
        guard (1...253).contains(relative.utf8.count) else { return nil }
        let labels = relative.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy(Self.isLabel), let last = labels.last, !last.utf8.allSatisfy(Self.isDigit) else {
            return nil
        }
        description = name
    }

    /// Whether every resolver answers with a loopback address (RFC 6761 6.3).
    public var isLocalHost: Bool {
        ["localhost", "localhost."].contains { description == $0 || description.hasSuffix(".\($0)") }
    }

    /// The service and protocol labels of a name of SRV records, such as `_orders._tcp` (RFC 2782).
    var hasServiceLabels: Bool {
        let labels = description.split(separator: ".")
        return labels.count > 2 && labels[0].hasPrefix("_") && labels[1].hasPrefix("_")
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
            && label.utf8.allSatisfy {
                isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == 45 || $0 == 95
            }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
