import Control
import Foundation
import PosternTesting
import Synchronization
import System
import Testing

@Suite("A proxy on its control loop")
struct ProxyTests {
    @Test("it becomes ready, answers its admin endpoint, relays, drains, and leaves its record")
    func life() throws {
        let site = try Site()
        let seen = try serve(site) {
            let ready = exchange("GET /readyz HTTP/1.0\r\n\r\n", port: site.adminPort)
            let echo = exchange("hello", port: site.outboundPort, half: true)
            return [ready, echo]
        }
        #expect(seen.answers[0].hasPrefix("HTTP/1.0 200") && seen.answers[0].hasSuffix("ready\n"), "\(seen.answers)")
        #expect(seen.answers[1] == "hello")
        #expect(seen.end == .drained)
        let log = try String(contentsOfFile: site.folder.file("access.log"), encoding: .utf8)
        #expect(log.split(separator: "\n").count == 2, "\(log)")
        #expect(log.contains("\"listener\":\"app\"") && log.contains("\"listener\":\"to-app\""))
        #expect(log.contains("\"rule\":\"all\""))
    }

    @Test("a connection that outlives the drain is cut, and the end counts it", arguments: [1, 2])
    func cut(workers: Int) throws {
        let site = try Site { $0.replacing("workers: 2", with: "workers: \(workers)") }
        let held = Mutex(Int32(-1))
        let seen = try serve(site) {
            let number = connected(to: site.outboundPort)
            held.withLock { $0 = number }
            var answer = [UInt8](repeating: 0, count: 5)
            let text = Array("hello".utf8)
            // Both arrays are as long as is said; the echo says that the connection is relaying.
            _ = unsafe send(number, text, text.count, 0)
            _ = unsafe recv(number, &answer, answer.count, Int32(MSG_WAITALL))
            return [String(decoding: answer, as: UTF8.self)]
        }
        held.withLock { _ = close($0) }
        #expect(seen.answers == ["hello"])
        // Both listeners have the connection.
        #expect(seen.end == .cut(connections: 2))
    }

    @Test("a port in use is an error at the setting that asks for it", arguments: [1, 2])
    func portInUse(workers: Int) throws {
        let site = try Site { $0.replacing("workers: 2", with: "workers: \(workers)") }
        let loop = try ControlLoop(signals: .none)
        let ready = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready)
        let first = try Proxy(ready, on: loop, logger: quiet)
        let error = #expect(throws: ProxyFault.self) { try Proxy(ready, on: loop, logger: quiet) }
        let text = try #require(error).description
        #expect(
            text.hasPrefix("\(site.settings):12:11: error: cannot listen on 127.0.0.1:\(site.inboundPort)"), "\(text)")
        #expect(text.hasSuffix("Address already in use"))
        _ = first.terminate()
        while let event = loop.next(timeoutMilliseconds: 10_000) {
            if case .ended = first.handle(event) { break }
        }
    }

    @Test("an SVID that is over makes it not ready, and the reason says since when")
    func expiry() throws {
        let site = try Site()
        let seen = try serve(site) {
            [exchange("GET /readyz HTTP/1.0\r\n\r\n", port: site.adminPort)]
        } whenReady: { proxy in
            #expect(proxy.checkValidity(now: Self.now) ?? 0 > 3_600)
            #expect(proxy.checkValidity(now: Self.now + 30 * 86_400) == nil)
        }
        #expect(seen.answers[0].hasPrefix("HTTP/1.0 503") && seen.answers[0].contains("the SVID was valid until"))
    }

    private struct Seen {
        var answers: [String]
        var end: ProxyEnd
    }

    /// Serves `site` on this thread; when it is ready, `whenReady` runs here, then `asked` on another thread, then it
    /// drains.
    private func serve(
        _ site: Site, asked: @escaping @Sendable () -> [String], whenReady: (Proxy) -> Void = { _ in }
    ) throws -> Seen {
        let loop = try ControlLoop(signals: .none)
        let checked = CheckedSettings.load(path: site.settings, now: Self.now)
        let proxy = try Proxy(try #require(checked.ready, "\(checked.flaws)"), on: loop, logger: quiet)
        let done = try ControlWake()
        try loop.watch(eventDescriptor: done.number)
        let answers = Mutex<[String]>([])
        while let event = loop.next(timeoutMilliseconds: 30_000) {
            if event == .signalled(descriptor: done.number) { _ = proxy.terminate() }
            switch proxy.handle(event) {
            case .nothing: break
            case .ready:
                whenReady(proxy)
                _ = BackgroundThread {
                    let texts = asked()
                    answers.withLock { $0 = texts }
                    done.signal()
                }
            case .ended(let end): return Seen(answers: answers.withLock { $0 }, end: end)
            }
        }
        Issue.record("it did not end")
        return Seen(answers: [], end: .failed(reason: "time is over"))
    }

    private static let now = WallClock.seconds()
}
