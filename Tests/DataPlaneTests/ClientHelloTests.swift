import Testing

@testable import DataPlane

@Suite("The name in a ClientHello")
struct ClientHelloTests {
    /// Split into records of at most this many bytes.
    private static func hello(name: String?, recordBytes: Int = 16_384, padding: Int = 0) -> [UInt8] {
        func vector(_ lengthBytes: Int, _ bytes: [UInt8]) -> [UInt8] {
            (0..<lengthBytes).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
        }
        var extensions: [UInt8] = [0, 21] + vector(2, [UInt8](repeating: 0, count: padding))
        if let name { extensions += [0, 0] + vector(2, vector(2, [0] + vector(2, Array(name.utf8)))) }
        let body = [3, 3] + [UInt8](repeating: 7, count: 32) + vector(1, [1, 2, 3]) + vector(2, [0x13, 1]) + [1, 0]
        let message = [1] + vector(3, body + vector(2, extensions))
        return stride(from: 0, to: message.count, by: recordBytes).flatMap { start in
            [22, 3, 1] + vector(2, Array(message[start..<min(start + recordBytes, message.count)]))
        }
    }

    @Test("is found whole, and in as many records and parts as one likes", arguments: [16_384, 100, 7, 1])
    func found(recordBytes: Int) {
        for name in ["app.test", nil] as [String?] {
            let bytes = Self.hello(name: name, recordBytes: recordBytes, padding: 300)
            #expect(ClientHello(bytes) == .whole(serverName: name))
            #expect(ClientHello(bytes + [20, 3, 3, 0, 1, 1]) == .whole(serverName: name))
            var looks = 0
            var next = 0
            for count in 0..<bytes.count {
                guard case .incomplete(let needed) = ClientHello(Array(bytes[..<count])) else {
                    Issue.record("\(count) of \(bytes.count) bytes were taken for a whole one")
                    return
                }
                #expect(needed > count && needed <= bytes.count)
                if count >= next { (looks, next) = (looks + 1, needed) }
            }
            // It need not be looked at with every byte.
            #expect(looks < 80, "\(looks)")
        }
    }

    @Test("is not looked for in what is no ClientHello, and no damage makes it be read beyond its end")
    func damaged() {
        let good = Self.hello(name: "app.test")
        for bytes in [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [21, 3, 3, 0, 2, 2, 40], [22, 2, 0, 0, 1, 1], [22, 3, 1, 0, 0],
        ] {
            #expect(ClientHello(bytes) == .malformed)
        }
        #expect(ClientHello([22, 3, 1, 0, 4, 2, 0, 0, 0]) == .malformed)
        for index in good.indices {
            for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
                var bad = good
                bad[index] = value
                _ = ClientHello(bad)
            }
        }
        #expect(ClientHello(Self.hello(name: "")) == .malformed)
        #expect(ClientHello(Self.hello(name: "a b")) == .malformed)
        #expect(ClientHello(Self.hello(name: "a\0b")) == .malformed)
    }
}
