import Testing

@testable import Control

@Suite("An answer over HTTP")
struct HTTPResponseTests {
    private static let answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.1 200\r\ncontent-length:5\r\nX: y\r\n\r\nhello and more",
    ]

    @Test("is read whole, however its bytes are cut", arguments: answers)
    func whole(text: String) throws {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var response = HTTPResponse(bodyBytesAtMost: 100)
            var body: [UInt8]?
            for part in [bytes[..<cut], bytes[cut...]] where body == nil && !part.isEmpty {
                body = try response.take(Array(part))
            }
            if body == nil { body = try response.take([]) }
            #expect(body == Array("hello".utf8))
        }
    }

    @Test(
        "that is malformed or unexpected has a reason",
        arguments: [
            ("SSH-2.0-x\r\n\r\n", HTTPResponse.Flaw.malformed), ("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n", .malformed),
            ("HTTP/1.1 404 Not Found\r\n\r\n", .status(404)), ("HTTP/1.1 302 Found\r\n\r\n", .redirected(302)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", .tooLarge),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", .truncated), ("HTTP/1.1 200 OK\r\n", .truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", .truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffff\r\n", .tooLarge),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n7fffffffffffffff\r\n", .tooLarge),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", .malformed),
        ])
    func flaws(text: String, flaw: HTTPResponse.Flaw) {
        #expect(throws: flaw) {
            var response = HTTPResponse(bodyBytesAtMost: 100)
            while try response.take(Array(text.utf8)) == nil { _ = try response.take([]) }
        }
    }

    @Test("has a head and a body of bounded size")
    func limits() {
        #expect(throws: HTTPResponse.Flaw.tooLarge) {
            var response = HTTPResponse(bodyBytesAtMost: 100)
            while true { _ = try response.take(Array(repeating: 65, count: 1_000)) }
        }
    }
}
