import Policy

/// What the oracles of both meshes share: a slow and obvious reading of texts.
enum PolicyOracle {
    static let sources = ["10.0.0.1", "10.1.0.1", "10.1.2.3", "10.1.2.4", "192.0.2.1", "2001:db8::1", "2001:db9::1"]
    static let ports: [UInt16] = [1, 80, 81, 443, 65535]
    static let blocks = [
        "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "10.1.2.2/31", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1",
        "192.0.2.0/24",
    ]
    static let domains = ["example.org", "example.org", "example.org", "partner.test"]

    static func contains(_ block: String, _ address: String) -> Bool { bits(address).hasPrefix(bits(block)) }

    /// The bits of an address, or of a block's prefix, behind the name of the family.
    static func bits(_ text: String) -> String {
        let parts = text.split(separator: "/").map(String.init)
        let isV6 = parts[0].contains(":")
        let all = isV6 ? groups(parts[0]) : parts[0].split(separator: ".").map { binary(Int($0)!, 8) }.joined()
        return (isV6 ? "v6" : "v4") + (parts.count == 2 ? all.prefix(Int(parts[1])!) : all[...])
    }

    private static func groups(_ text: String) -> String {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false).map { half in
            half.split(separator: ":").map { binary(Int($0, radix: 16)!, 16) }
        }
        let missing = 8 - halves.reduce(0) { $0 + $1.count }
        let zeros = Array(repeating: binary(0, 16), count: missing)
        return (halves[0] + zeros + (halves.count > 1 ? halves[1] : [])).joined()
    }

    private static func binary(_ value: Int, _ width: Int) -> String {
        let digits = String(value, radix: 2)
        return String(repeating: "0", count: width - digits.count) + digits
    }

    static func yaml(_ values: [String]) -> String { "[" + values.map { "'\($0)'" }.joined(separator: ", ") + "]" }
}
