/// The host name of server name indication (RFC 6066, section 3).
enum ServerName {
    /// The name in lower case, or nil when the bytes are not a DNS name without its final dot.
    static func parse(_ bytes: some Collection<UInt8>) -> String? {
        guard (1...253).contains(bytes.count) else { return nil }
        var name: [UInt8] = []
        name.reserveCapacity(bytes.count)
        var labelBytes = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "."):
                guard labelBytes > 0 else { return nil }
                labelBytes = 0
                name.append(byte)
                continue
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): name.append(byte | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                name.append(byte)
            default: return nil
            }
            labelBytes += 1
            guard labelBytes <= 63 else { return nil }
        }
        return labelBytes > 0 ? String(decoding: name, as: UTF8.self) : nil
    }
}
