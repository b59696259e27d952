public import Policy

/// What a proxy says of a connection before its first byte: the PROXY protocol, version 2 (HAProxy's
/// doc/proxy-protocol.txt, section 2.2): a signature, the two addresses, and typed values.
public struct ProxyHeader: Hashable, Sendable {
    /// One end of a connection.
    public struct End: Hashable, Sendable {
        public var address: IPAddress
        public var port: UInt16

        public init(address: IPAddress, port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    /// Who connected.
    public var source: End
    /// The address that it connected to.
    public var destination: End
    /// The most wanted first.
    public var values: [TypedValue]

    public init(source: End, destination: End, values: [TypedValue] = []) {
        self.source = source
        self.destination = destination
        self.values = values
    }

    /// The whole header, with a checksum. Values that do not fit in `bytesAtMost` are left out, the last ones first.
    ///
    /// The values stand in the order of their types: there are receivers that write them so before they compare the
    /// checksum.
    public func bytes(bytesAtMost limit: Int = Self.bytesAtMost) -> [UInt8] {
        let room = limit - Self.fixedBytes - addresses.count - CRC32C.encodedBytes
        var used = 0
        var typed = [(code: TypedValue.Code.checksum, bytes: TypedValue.encode(.checksum, [0, 0, 0, 0]))]
        for value in values {
            let bytes = value.bytes
            guard used + bytes.count <= room else { continue }
            used += bytes.count
            typed.append((value.code, bytes))
        }
        typed.sort { $0.code.rawValue < $1.code.rawValue }
        let payload = addresses + typed.flatMap(\.bytes)
        var header = Self.signature
        header += [Self.versionAndCommand, isIPv6 ? Self.tcp6 : Self.tcp4]
        header += [UInt8(truncatingIfNeeded: payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)]
        let before = typed.prefix { $0.code != .checksum }.reduce(0) { $0 + $1.bytes.count }
        let offset = Self.fixedBytes + addresses.count + before + TypedValue.prefixBytes
        header += payload
        let checksum = CRC32C.checksum(of: header)
        for index in 0..<4 { header[offset + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * index)) }
        return header
    }

    /// One family for both: IPv4 where both addresses can be written so.
    private var isIPv6: Bool {
        if case (.v4, .v4) = (source.address.folded, destination.address.folded) { false } else { true }
    }

    private var addresses: [UInt8] {
        Self.bytes(of: source.address, asIPv6: isIPv6) + Self.bytes(of: destination.address, asIPv6: isIPv6)
            + [source.port, destination.port].flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    private static func bytes(of address: IPAddress, asIPv6: Bool) -> [UInt8] {
        switch address.folded {
        case .v4(let bits):
            let four = (0..<4).map { UInt8(truncatingIfNeeded: bits >> UInt32(24 - 8 * $0)) }
            return asIPv6 ? [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + four : four
        case .v6(let high, let low):
            return [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) }
            }
        }
    }

    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// Version 2, and a connection that is relayed.
    static let versionAndCommand: UInt8 = 0x21
    static let tcp4: UInt8 = 0x11
    static let tcp6: UInt8 = 0x21
    /// The signature, and what says how long the rest is.
    static let fixedBytes = 16
    /// Far more than our values need: a name, a SPIFFE ID and some words.
    public static let bytesAtMost = 4_096
}
