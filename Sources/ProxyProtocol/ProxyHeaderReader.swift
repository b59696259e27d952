import Policy

/// Reads a header of the PROXY protocol, version 1 or 2, that a load balancer puts in front of a connection.
public enum ProxyHeaderReader {
    public enum Outcome: Hashable, Sendable {
        /// What is there may be the beginning of a header.
        case incomplete
        /// A header of this many bytes. `ends` is nil where the balancer speaks for itself (LOCAL, UNKNOWN).
        case complete(byteCount: Int, ends: Ends?)
        /// Whatever follows is no header, or one that cannot be taken.
        case malformed
    }

    public struct Ends: Hashable, Sendable {
        public let source: ProxyHeader.End
        public let destination: ProxyHeader.End
    }

    /// No header of version 1 is longer (section 2.1), and no longer one of version 2 is taken.
    public static let bytesAtMost = 2_048

    public static func read(_ bytes: [UInt8]) -> Outcome {
        let beginning = bytes.prefix(ProxyHeader.signature.count)
        if ProxyHeader.signature.starts(with: beginning) { return readBinary(bytes) }
        if lineBeginning.starts(with: bytes.prefix(lineBeginning.count)) { return readLine(bytes) }
        return .malformed
    }

    // MARK: Version 2

    private static func readBinary(_ bytes: [UInt8]) -> Outcome {
        guard bytes.count >= ProxyHeader.fixedBytes else { return .incomplete }
        let payloadCount = Int(bytes[14]) << 8 | Int(bytes[15])
        let end = ProxyHeader.fixedBytes + payloadCount
        guard end <= bytesAtMost, bytes[12] >> 4 == 2 else { return .malformed }
        guard bytes.count >= end else { return .incomplete }
        switch (bytes[12] & 0x0F, bytes[13]) {
        // What such a header says besides is to be ignored (section 2.2).
        case (0, _): return .complete(byteCount: end, ends: nil)
        case _ where !hasSoundValues(bytes, to: end): return .malformed
        case (1, unspecified): return .complete(byteCount: end, ends: nil)
        case (1, ProxyHeader.tcp4):
            guard payloadCount >= 12 else { return .malformed }
            let ends = Ends(
                source: .init(address: v4(bytes, at: 16), port: port(bytes, at: 24)),
                destination: .init(address: v4(bytes, at: 20), port: port(bytes, at: 26)))
            return .complete(byteCount: end, ends: ends)
        case (1, ProxyHeader.tcp6):
            guard payloadCount >= 36 else { return .malformed }
            let ends = Ends(
                source: .init(address: v6(bytes, at: 16), port: port(bytes, at: 48)),
                destination: .init(address: v6(bytes, at: 32), port: port(bytes, at: 50)))
            return .complete(byteCount: end, ends: ends)
        // Neither datagrams nor sockets of a file system come to a TCP listener.
        default: return .malformed
        }
    }

    /// Whether the typed values behind the addresses fill the header exactly, and its checksum, if it has one, is
    /// right: a wrong one ends the connection (section 2.2.3).
    private static func hasSoundValues(_ bytes: [UInt8], to end: Int) -> Bool {
        let addressBytes =
            switch bytes[13] {
            case ProxyHeader.tcp4: 12
            case ProxyHeader.tcp6: 36
            default: end
            }
        var offset = ProxyHeader.fixedBytes + addressBytes
        while offset < end {
            guard offset + TypedValue.prefixBytes <= end else { return false }
            let value = offset + TypedValue.prefixBytes
            let next = value + (Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2]))
            guard next <= end else { return false }
            if bytes[offset] == TypedValue.Code.checksum.rawValue {
                guard next == value + 4 else { return false }
                var zeroed = Array(bytes[..<end])
                for index in value..<next { zeroed[index] = 0 }
                guard CRC32C.checksum(of: zeroed) == bytes[value..<next].reduce(0, { $0 << 8 | UInt32($1) }) else {
                    return false
                }
            }
            offset = next
        }
        return true
    }

    private static func v4(_ bytes: [UInt8], at offset: Int) -> IPAddress {
        .v4(bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static func v6(_ bytes: [UInt8], at offset: Int) -> IPAddress {
        let halves = [offset, offset + 8].map { bytes[$0..<$0 + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        return IPAddress(high: halves[0], low: halves[1])
    }

    private static func port(_ bytes: [UInt8], at offset: Int) -> UInt16 {
        UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    // MARK: Version 1

    private static func readLine(_ bytes: [UInt8]) -> Outcome {
        let searched = bytes.prefix(lineBytesAtMost)
        guard let newline = searched.firstIndex(of: 0x0A) else {
            return bytes.count < lineBytesAtMost ? .incomplete : .malformed
        }
        guard newline >= 1, bytes[newline - 1] == 0x0D else { return .malformed }
        let words = String(decoding: bytes[..<(newline - 1)], as: UTF8.self)
            .split(separator: " ", omittingEmptySubsequences: false)
        if words.count >= 2, words[1] == "UNKNOWN" { return .complete(byteCount: newline + 1, ends: nil) }
        guard words.count == 6, let source = end(words[2], words[4], words[1]),
            let destination = end(words[3], words[5], words[1])
        else { return .malformed }
        return .complete(byteCount: newline + 1, ends: Ends(source: source, destination: destination))
    }

    private static func end(_ address: Substring, _ port: Substring, _ family: Substring) -> ProxyHeader.End? {
        guard let address = IPAddress(parsing: String(address)), let number = UInt16(port), String(number) == port
        else {
            return nil
        }
        switch (family, address) {
        case ("TCP4", .v4): return .init(address: address, port: number)
        // An IPv4-mapped address is folded as it is parsed.
        case ("TCP6", _): return .init(address: address, port: number)
        default: return nil
        }
    }

    /// An address family that the balancer does not know.
    private static let unspecified: UInt8 = 0
    private static let lineBeginning = Array("PROXY ".utf8)
    private static let lineBytesAtMost = 107
}
