import Glibc
import Testing

@testable import TLS

@Suite("HTTPS to a web server")
struct WebClientTests {
    @Test("ends when no time is left, although the server is never quite silent")
    func deadline() {
        var ends: [Int32] = [-1, -1]
        // The array has room for both.
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (ours, theirs) = (ends[0], ends[1])
        defer {
            close(ours)
            close(theirs)
        }
        var drips = 0
        #expect(throws: WebClientFault.handshakeFailed) {
            try WebClient.exchange(
                ours, host: "example.org", trust: .web(authorities: nil), request: [1],
                remainingMilliseconds: {
                    // One byte more of a handshake record that is never whole.
                    drips += 1
                    let bytes: [UInt8] = [22, 3, 3, 0x40, 0, 2, 0, 0x3F, 0xFC]
                    let byte = drips <= bytes.count ? bytes[drips - 1] : 0
                    _ = unsafe withUnsafeBytes(of: byte) { unsafe write(theirs, $0.baseAddress, 1) }
                    return drips < 40 ? 1_000 : 0
                }, receive: { _ in true })
        }
        #expect(drips == 40)
    }
}
