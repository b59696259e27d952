import HTTP
import Testing

/// Bodies that are collected whole are tested beside the clients that do so.
@Suite("A response over HTTP, as it comes")
struct HTTPResponseReaderTests {
    @Test("passes the body on piece by piece, and each byte once")
    func pieces() throws {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nX-A: b c \r\n\r\n"
        var reader = HTTPResponseReader()
        var statuses: [Int] = []
        for byte in text.utf8 {
            for case .head(let head) in try reader.take([byte]) {
                statuses.append(head.status)
                #expect(head.value(of: "x-a") == "b c" && head.contentLength == nil)
            }
        }
        #expect(statuses == [200])
        #expect(try reader.take(Array("5\r\nhe".utf8)) == [.body(Array("he".utf8))])
        #expect(try reader.take(Array("llo\r".utf8)) == [.body(Array("llo".utf8))])
        #expect(try reader.take(Array("\n3\r\nabc\r\n0\r\n\r\n".utf8)) == [.body(Array("abc".utf8)), .end])
        #expect(try reader.take([1, 2, 3]) == [])
    }

    @Test("has no body where the status says so, and no more than it declares")
    func lengths() throws {
        var none = HTTPResponseReader()
        #expect(try none.take(Array("HTTP/1.1 204 No Content\r\n\r\nrest".utf8)).last == .end)
        var some = HTTPResponseReader()
        let parts = try some.take(Array("HTTP/1.1 404 x\r\nContent-Length: 2\r\n\r\nabc".utf8))
        #expect(parts.dropFirst() == [.body(Array("ab".utf8)), .end])
    }

    @Test(
        "that is malformed ends",
        arguments: [
            "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n",
            "HTTP/1.1 200 x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/2 200\r\n\r\n",
            String(repeating: "HTTP/1.1 100 x\r\n\r\n", count: 9),
            "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n" + String(repeating: "0", count: 300),
        ])
    func flaws(_ text: String) {
        #expect(throws: HTTPResponseReader.Flaw.malformed) {
            var reader = HTTPResponseReader()
            _ = try reader.take(Array(text.utf8))
        }
    }
}
