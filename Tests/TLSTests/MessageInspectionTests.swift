import PosternTesting
import Testing

@testable import TLS

@Suite("A Certificate message is counted before it is parsed")
struct MessageInspectionTests {
    private func message(tls13: Bool, certificates: Int, context: Int = 0) -> [UInt8] {
        var list: [UInt8] = []
        for number in 0..<certificates {
            list += [0, 0, UInt8(number + 1)] + [UInt8](repeating: 7, count: number + 1)
            if tls13 { list += [0, 2, 9, 9] }
        }
        let head = tls13 ? [UInt8(context)] + [UInt8](repeating: 5, count: context) : []
        let body = head + [0, UInt8(list.count >> 8), UInt8(list.count & 255)] + list
        return [11, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    private func length(_ message: [UInt8], tls13: Bool) -> CertificateListLength? {
        // Safe: the array lives for the call.
        unsafe message.withUnsafeBytes { unsafe CertificateListLength($0, isTLS13: tls13) }
    }

    @Test("in both versions, with and without a request's context", arguments: [0, 1, 7, 8, 20], [true, false])
    func counts(certificates: Int, tls13: Bool) {
        let plain = length(message(tls13: tls13, certificates: certificates), tls13: tls13)
        #expect(plain?.certificates == certificates)
        #expect(plain?.offset == (tls13 ? 5 : 4))
        guard tls13 else { return }
        let withContext = length(message(tls13: true, certificates: certificates, context: 9), tls13: true)
        #expect(withContext?.certificates == certificates)
        #expect(withContext?.offset == 14)
    }

    @Test("and any other bytes are read within their bounds")
    func noise() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<20_000 {
            var bytes = (0..<Int(generator.next() % 40)).map { _ in UInt8(truncatingIfNeeded: generator.next() % 20) }
            if !bytes.isEmpty { bytes[0] = 11 }
            let tls13 = generator.next() % 2 == 0
            guard let found = length(bytes, tls13: tls13) else { continue }
            #expect(found.offset < bytes.count)
        }
    }
}
