import Policy
import Testing

@testable import ProxyProtocol

@Suite("A header of the PROXY protocol")
struct ProxyHeaderTests {
    private static func end(_ address: String, _ port: UInt16) throws -> ProxyHeader.End {
        ProxyHeader.End(address: try #require(IPAddress(parsing: address)), port: port)
    }

    @Test("has the bytes of the specification, and a checksum over all of them")
    func bytes() throws {
        let header = try ProxyHeader(source: Self.end("192.0.2.1", 5000), destination: Self.end("10.0.0.1", 443))
        let bytes = header.bytes()
        #expect(bytes.prefix(12) == [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A])
        #expect(bytes[12...].prefix(4) == [0x21, 0x11, 0, 19])
        #expect(bytes[16...].prefix(12) == [192, 0, 2, 1, 10, 0, 0, 1, 0x13, 0x88, 0x01, 0xBB])
        #expect(bytes[28...].prefix(3) == [0x03, 0, 4])
        var zeroed = bytes
        for index in 31..<35 { zeroed[index] = 0 }
        let checksum = bytes[31...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        #expect(CRC32C.checksum(of: zeroed) == checksum)
        // The check value of the catalogue of parametrised CRC algorithms.
        #expect(CRC32C.checksum(of: Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test(
        "is read as it was written, whatever the family",
        arguments: [
            ("192.0.2.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::2"), ("192.0.2.1", "2001:db8::2"),
            ("::ffff:192.0.2.1", "10.0.0.1"),
        ])
    func roundTrip(source: String, destination: String) throws {
        let header = try ProxyHeader(
            source: Self.end(source, 1), destination: Self.end(destination, 65_535),
            values: [
                .identity("spiffe://example.org/client"), .uniqueID("0123"), .serverName("app.test"),
                .applicationProtocol("h2"), .tls(version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256"),
            ])
        let bytes = header.bytes()
        let ends = ProxyHeaderReader.Ends(
            source: .init(address: header.source.address.folded, port: 1),
            destination: .init(address: header.destination.address.folded, port: 65_535))
        #expect(ProxyHeaderReader.read(bytes) == .complete(byteCount: bytes.count, ends: ends))
        #expect(ProxyHeaderReader.read(bytes + [22, 3, 1]) == .complete(byteCount: bytes.count, ends: ends))
        for count in 0..<bytes.count { #expect(ProxyHeaderReader.read(Array(bytes[..<count])) == .incomplete) }
    }

    @Test("leaves out values that do not fit, and is never longer than it may be")
    func limit() throws {
        let header = try ProxyHeader(
            source: Self.end("192.0.2.1", 1), destination: Self.end("192.0.2.2", 2),
            values: [.identity(String(repeating: "a", count: 5_000)), .uniqueID("0123")])
        #expect(header.bytes().count == 16 + 12 + 7 + 7)
        #expect(header.bytes(bytesAtMost: 36).count == 16 + 12 + 7)
    }

    @Test(
        "of version 1 is read as the specification shows it",
        arguments: [
            ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
            (
                "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
            ),
            ("PROXY UNKNOWN\r\n", nil), ("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", nil),
        ] as [(String, String?)])
    func line(text: String, address: String?) throws {
        let bytes = Array(text.utf8)
        guard case .complete(let count, let ends) = ProxyHeaderReader.read(bytes + [22]) else {
            Issue.record("not read")
            return
        }
        #expect(count == bytes.count && ends?.source.address.description == address)
        for count in 0..<bytes.count { #expect(ProxyHeaderReader.read(Array(bytes[..<count])) == .incomplete) }
    }

    @Test(
        "that is none is not waited for",
        arguments: [
            "GET / HTTP/1.1\r\n\r\n", "PROXY\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 ::1 ::1 1 1\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 99999 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
            "PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n", "PROXY UNKNOWN\n",
            "PROXY " + String(repeating: "x", count: 200),
        ])
    func malformed(text: String) {
        #expect(ProxyHeaderReader.read(Array(text.utf8)) == .malformed)
    }

    @Test("with a wrong checksum, or values that do not fill it, is refused")
    func values() throws {
        let good = try ProxyHeader(
            source: Self.end("192.0.2.1", 1), destination: Self.end("192.0.2.2", 2), values: [.serverName("app.test")]
        ).bytes()
        // All but the checksum's own type, without which it is another value.
        for index in 16..<good.count where index != good.count - 7 {
            var bad = good
            bad[index] ^= 1
            #expect(ProxyHeaderReader.read(bad) == .malformed, "\(index)")
        }
        // Without a checksum none is missed; the spare byte is no value.
        let bare = Array(good[..<28]) + [0x04, 0, 1, 0]
        for (length, isRead) in [(16, true), (15, false), (13, false), (12, true)] {
            var bytes = Array(bare[..<(16 + length)])
            bytes[15] = UInt8(length)
            if case .complete = ProxyHeaderReader.read(bytes) { #expect(isRead) } else { #expect(!isRead) }
        }
    }

    @Test("of version 2 is refused where its length, version, command or family is not one to take")
    func malformedBinary() throws {
        let good = try ProxyHeader(source: Self.end("192.0.2.1", 1), destination: Self.end("192.0.2.2", 2)).bytes()
        for (index, value) in [(12, 0x11), (12, 0x22), (13, 0x12), (13, 0x31), (13, 0x21), (14, 0x40)] as [(Int, UInt8)]
        {
            var bad = good
            bad[index] = value
            #expect(ProxyHeaderReader.read(bad) == .malformed, "\(index) \(value)")
        }
        // LOCAL: the balancer speaks for itself.
        var local = good
        local[12] = 0x20
        #expect(ProxyHeaderReader.read(local) == .complete(byteCount: good.count, ends: nil))
    }
}
