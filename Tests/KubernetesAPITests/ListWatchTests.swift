import Testing

@testable import KubernetesAPI

@Suite("What a reader of a collection asks next")
struct ListWatchTests {
    private let lost = APIFault.network("lost")
    private let gone = APIFault.refused(status: 410, reason: "Expired", message: "", retryAfterSeconds: nil)

    @Test("lists in pages, watches from the list's version, and goes on from the last event or bookmark")
    func order() {
        var state = ListWatch()
        #expect(state.step == .list(continuing: nil))
        #expect(!state.listed(resourceVersion: "7", next: "token") && state.step == .list(continuing: "token"))
        #expect(state.listed(resourceVersion: "7", next: "") && state.step == .watch(from: "7"))
        state.observed(resourceVersion: "9")
        state.observed(resourceVersion: "")
        #expect(state.step == .watch(from: "9"))
        #expect(state.ended(nil, lasted: 300_000, random: 0.5) == 0 && state.step == .watch(from: "9"))
    }

    @Test("a lost connection and a busy server leave the watch where it was; anything else begins with a list")
    func faults() {
        let cases: [(APIFault, Bool)] = [
            (lost, true), (gone, false), (.malformed("x"), false), (.configuration("no token"), true),
            (.refused(status: 429, reason: "", message: "", retryAfterSeconds: 1), true),
            (.refused(status: 503, reason: "", message: "", retryAfterSeconds: nil), true),
            (.refused(status: 403, reason: "Forbidden", message: "", retryAfterSeconds: nil), false),
        ]
        for (fault, stays) in cases {
            var state = ListWatch()
            _ = state.listed(resourceVersion: "7", next: nil)
            _ = state.ended(fault, lasted: 0, random: 0)
            #expect(state.step == (stays ? .watch(from: "7") : .list(continuing: nil)), "\(fault)")
        }
        // A page that is too old does not leave the reader with half a list.
        var state = ListWatch()
        _ = state.listed(resourceVersion: "7", next: "token")
        _ = state.ended(gone, lasted: 0, random: 0)
        #expect(state.step == .list(continuing: nil))
    }

    @Test("waits longer each time, with jitter and a limit, and as long as the server asks")
    func delays() {
        var state = ListWatch(RetryDelays(firstMilliseconds: 100, longestMilliseconds: 400))
        let waits = [0.0, 1, 0.5, 0, 0].map { state.ended(lost, lasted: 0, random: $0) }
        #expect(waits == [100, 400, 600, 400, 400])
        let asked = APIFault.refused(status: 429, reason: "", message: "", retryAfterSeconds: 7)
        #expect(state.ended(asked, lasted: 0, random: 0) == 7_000)
        _ = state.listed(resourceVersion: "1", next: nil)
        #expect(state.ended(lost, lasted: 0, random: 0) == 100)
        // Watches that end at once.
        #expect(state.ended(nil, lasted: 5, random: 0) == 200 && state.ended(nil, lasted: 5, random: 0) == 400)
    }

    @Test("names and tokens cannot leave their place in a request")
    func injection() throws {
        let path = ObjectPath(.configMaps, namespace: "a/../b", name: "x?y#z\r\nHost: e", subresource: "..")
        #expect(path.text == "/api/v1/namespaces/a%2F..%2Fb/configmaps/x%3Fy%23z%0D%0AHost%3A%20e/%2E%2E")
        for url in [
            "http://a", "https://", "https://a:b", "https://a/path", "https://a b", "https://a:1:2", "https://u@h",
        ] {
            #expect(throws: APIFault.self) { try APIServer(url: url, authorities: nil, tokenFile: nil) }
        }
        let server = try APIServer(url: "https://[fd00::1]:6443/", authorities: nil, tokenFile: nil)
        #expect(server.host == "fd00::1" && server.port == 6443 && server.authority == "[fd00::1]:6443")
    }

    @Test("lines of a watch are limited, however they are cut")
    func lines() throws {
        var reader = LineReader(bytesAtMost: 5)
        #expect(try reader.take(Array("ab".utf8)).isEmpty)
        #expect(try reader.take(Array("c\n\nde\nf".utf8)) == [Array("abc".utf8), Array("de".utf8)])
        #expect(throws: APIFault.self) { try reader.take(Array("abcdef".utf8)) }
    }
}
