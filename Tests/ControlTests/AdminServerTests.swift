import Foundation
import Policy
import PosternTesting
import Synchronization
import Testing

@testable import Control

@Suite("The admin endpoint")
struct AdminServerTests {
    @Test(
        "each path and method gets its status",
        arguments: [
            ("GET /livez HTTP/1.1", "200 OK", "ok\n"), ("GET /readyz HTTP/1.1", "200 OK", "ready\n"),
            ("GET /livez?verbose HTTP/1.1", "200 OK", "ok\n"), ("HEAD /readyz HTTP/1.1", "200 OK", ""),
            ("GET / HTTP/1.1", "404", "not found: try /livez, /readyz or /metrics\n"),
            ("GET /livez/ HTTP/1.1", "404", "not found: try /livez, /readyz or /metrics\n"),
            ("POST /readyz HTTP/1.1", "405", "only GET and HEAD\n"),
            ("DELETE /livez HTTP/1.1", "405", "only GET and HEAD\n"),
        ])
    func statuses(request: String, status: String, body: String) throws {
        let answer = try ask(request + "\r\nHost: x\r\nConnection: close\r\n\r\n", readiness: .ready)
        #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(answer)")
        #expect(answer.hasSuffix("\r\n\r\n" + body), "\(answer)")
    }

    @Test("a proxy that is not ready says why, and is live")
    func notReady() throws {
        let readiness = Readiness.notReady(reason: "worker 1 has not started")
        let ready = try ask("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", readiness: readiness)
        #expect(ready.hasPrefix("HTTP/1.1 503") && ready.hasSuffix("not ready: worker 1 has not started\n"))
        let live = try ask("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", readiness: readiness)
        #expect(live.hasPrefix("HTTP/1.1 200"))
    }

    @Test(
        "input that is not HTTP, or too large, is refused or cut",
        arguments: [
            "\u{16}\u{3}\u{1}\u{0}\u{5}hello\r\n\r\n", "GARBAGE\r\n\r\n",
            "GET /livez HTTP/1.1\r\nHost: x\r\nX: LONG\r\n\r\n",
            "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n",
        ])
    func refused(request: String) throws {
        let long = String(repeating: "a", count: 20_000)
        let answer = try ask(request.replacing("LONG", with: long), readiness: .ready)
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4") || answer.hasPrefix("HTTP/1.1 5"), "\(answer)")
    }

    @Test("a port in use is an error that names the address", arguments: ["127.0.0.1", "::1"])
    func portInUse(address: String) throws {
        let address = try #require(IPAddress(parsing: address))
        let loop = try ControlLoop(signals: .none)
        let first = try AdminServer(on: loop, address: address, port: 0, readiness: .ready)
        let port = try #require(first.port)
        let error = #expect(throws: ControlFault.self) {
            try AdminServer(on: loop, address: address, port: port, readiness: .ready)
        }
        let text = try #require(error).description
        #expect(text.contains(":\(port)") && text.contains("Address already in use"), "\(text)")
    }

    /// Runs a server on this thread, with a client on another one, until the client has its answer.
    private func ask(_ request: String, readiness: Readiness) throws -> String {
        let loop = try ControlLoop(signals: .none)
        let server = try AdminServer(on: loop, address: .v4(0x7F00_0001), port: 0, readiness: readiness)
        let wake = try ControlWake()
        try loop.watch(eventDescriptor: wake.number)
        let answer = Mutex("")
        let port = try #require(server.port)
        let client = BackgroundThread {
            let text = exchange(request, port: port)
            answer.withLock { $0 = text }
            wake.signal()
        }
        #expect(loop.next(timeoutMilliseconds: 20_000) == .signalled(descriptor: wake.number))
        client.join()
        return answer.withLock { $0 }
    }
}
