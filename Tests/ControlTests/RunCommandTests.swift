import Foundation
import PosternTesting
import Testing

@Suite("postern run")
struct RunCommandTests {
    @Test("SIGHUP reopens the access log, SIGTERM drains, and the exit code says whether connections were cut")
    func life() throws {
        // Who comes while a listener closes hears only a second later that it is closed.
        let site = try Site { $0.replacing("drainTimeout: 1s", with: "drainTimeout: 3s") }
        let run = try Running(site)
        let log = site.folder.file("access.log")
        #expect(exchange("one", port: site.outboundPort, half: true) == "one")
        #expect(try eventually { try lineCount(of: log) == 2 })
        try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
        run.signal(SIGHUP)
        #expect(eventually { FileManager.default.fileExists(atPath: log) })
        let held = connected(to: site.outboundPort)
        defer { close(held) }
        #expect(echoes(held))
        run.signal(SIGTERM)
        #expect(eventually { exchange("GET /readyz HTTP/1.0\r\n\r\n", port: site.adminPort).contains("draining") })
        #expect(
            eventually {
                // Inbound it accepts no more, once each worker has heard of it.
                let number = connected(to: site.inboundPort)
                defer { if number >= 0 { close(number) } }
                return number < 0
            })
        #expect(echoes(held), "what is open goes on")
        #expect(run.awaitEnd() == 3)
        #expect(try lineCount(of: log + ".1") == 2)
        #expect(try String(contentsOfFile: log, encoding: .utf8).contains("\"reason\":\"drained\""))
    }

    @Test("without connections it ends with 0 at once", arguments: [SIGTERM, SIGINT])
    func clean(signal: Int32) throws {
        let run = try Running(try Site())
        run.signal(signal)
        #expect(run.awaitEnd() == 0)
    }

    @Test("a second signal cuts before the drain times out")
    func impatience() throws {
        let site = try Site { $0.replacing("drainTimeout: 1s", with: "drainTimeout: 1h") }
        let run = try Running(site)
        let held = connected(to: site.outboundPort)
        defer { close(held) }
        #expect(echoes(held))
        run.signal(SIGTERM)
        #expect(eventually { exchange("GET /readyz HTTP/1.0\r\n\r\n", port: site.adminPort).contains("draining") })
        // Within a second it would be the same order once more.
        usleep(1_100_000)
        run.signal(SIGTERM)
        #expect(run.awaitEnd() == 3)
    }

    @Test("the log is JSON, says which event loop serves and why, and shows no key", arguments: ["auto", "epoll"])
    func log(eventLoop: String) throws {
        let site = try Site { $0 + "eventLoop: \(eventLoop)\n" }
        let run = try Running(site)
        run.signal(SIGTERM)
        #expect(run.awaitEnd() == 0)
        let events = try run.log().split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
        }
        let serving = events.filter { $0["message"] as? String == "worker serves" }
        #expect(serving.count == 2)
        for event in serving {
            #expect(["io_uring", "epoll"].contains(event["eventLoop"] as? String))
            #expect((event["because"] as? String)?.isEmpty == false && event["worker"] is Int)
            if eventLoop == "epoll" { #expect(event["eventLoop"] as? String == "epoll") }
        }
        #expect(try !run.log().contains("PRIVATE"))
        #expect(events.last?["message"] as? String == "stopped")
    }

    private func lineCount(of path: String) throws -> Int {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count
    }

    private func echoes(_ number: Int32) -> Bool {
        let text = Array("hello".utf8)
        var answer = [UInt8](repeating: 0, count: text.count)
        // Both arrays are as long as is said.
        guard unsafe send(number, text, text.count, Int32(MSG_NOSIGNAL)) == text.count else { return false }
        return unsafe recv(number, &answer, answer.count, Int32(MSG_WAITALL)) == text.count && answer == text
    }
}

/// A `postern run` that is ready.
private final class Running {
    private let site: Site
    private let process: Process

    init(_ site: Site) throws {
        self.site = site
        process = try Postern.started(
            ["run", "--config", site.settings], output: site.folder.file("out"), complaints: site.folder.file("err"))
        let complaints = site.folder.file("err")
        var log = ""
        let isReady = try eventually {
            log = try String(contentsOfFile: complaints, encoding: .utf8)
            return log.contains("\"ready\"")
        }
        #expect(isReady, "\(log)")
    }

    deinit { if process.isRunning { process.terminate() } }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    func awaitEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    func log() throws -> String { try String(contentsOfFile: site.folder.file("err"), encoding: .utf8) }
}
