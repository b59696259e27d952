import Federation
import Foundation
import Testing

@Suite("SPIFFE bundles")
struct BundleTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let name: String
        let isValid: Bool
        let text: [UInt8]

        var testDescription: String { name }
    }

    private static let vectors: [Vector] = {
        guard let url = Bundle.module.url(forResource: "spiffe_bundles", withExtension: "json"),
            let data = try? Data(contentsOf: url),
            let list = (try? JSONSerialization.jsonObject(with: data)) as? [[String: Any]]
        else { preconditionFailure("no vectors") }
        return list.compactMap { entry in
            guard let name = entry["name"] as? String, let isValid = entry["valid"] as? Bool,
                let bundle = entry["bundle"], let text = try? JSONSerialization.data(withJSONObject: bundle)
            else { return nil }
            return Vector(name: name, isValid: isValid, text: Array(text))
        }
    }()

    @Test("are read or refused as the vectors of the SPIFFE implementations say", arguments: vectors)
    func verdicts(vector: Vector) throws {
        guard vector.isValid else {
            #expect(throws: BundleDocumentFlaw.self) { try BundleDocument(parsing: vector.text) }
            return
        }
        let document = try BundleDocument(parsing: vector.text)
        #expect(document.authorities.count == 1)
        #expect(document.authorities[0].first == 0x30)
    }

    @Test(
        "say what is wrong with them",
        arguments: [
            ("", BundleDocumentFlaw.notADocument), ("[]", .notADocument), ("{", .notADocument),
            ("{\"keys\": [], \"spiffe_sequence\": -1}", .notADocument),
            ("{\"keys\": [], \"spiffe_sequence\": \"1\"}", .notADocument), ("{}", .noKeys),
            ("{\"keys\": [], \"keys\": []}", .repeatedName("keys")),
            ("{\"keys\": [], \"ke\\u0079s\": []}", .repeatedName("keys")),
            ("{\"keys\": [{\"use\": \"a\", \"x\": [{\"use\": 1}, \"use\"], \"use\": \"b\"}]}", .repeatedName("use")),
            ("{\"keys\": [], \"\\n\": 1, \"\\u000a\": 2}", .repeatedName("\n")),
            ("{\"keys\": [{\"use\": \"x509-svid\", \"x5c\": [\"\"]}]}", .keyWithoutType(number: 1)),
            (
                "{\"keys\": [{\"use\": \"x509-svid\", \"kty\": \"EC\", \"x5c\": [\"!\"]}]}",
                .certificateNotBase64(number: 1)
            ),
            ("{\"keys\": [{\"use\": \"jwt-svid\", \"kty\": \"EC\", \"kid\": \"\"}]}", .keyWithoutName(number: 1)),
        ])
    func flaws(text: String, flaw: BundleDocumentFlaw) {
        #expect(throws: flaw) { try BundleDocument(parsing: Array(text.utf8)) }
    }

    @Test("may have no keys at all, keys of uses that nobody knows, and keys without a certificate")
    func empty() throws {
        let useless =
            "{\"use\": \"x509-svid\", \"kty\": \"EC\", \"x5c\": []}, {\"use\": \"x509-svid\", \"kty\": \"EC\"}"
        // Names of different objects, and strings that are no names, may be the same.
        let same = "{\"a\": {\"a\": [\"a\", \"a\"]}, \"b\": \"a\"}"
        let text =
            "{\"keys\": [{\"use\": \"other\"}, {}, \(same), \(useless)], \"spiffe_sequence\": 18446744073709551615}"
        let document = try BundleDocument(parsing: Array(text.utf8))
        #expect(document.authorities.isEmpty && document.sequence == .max && document.refreshHintSeconds == nil)
    }
}

@Suite("Polling a bundle endpoint")
struct BundlePollingTests {
    private func document(_ authority: UInt8?, sequence: Int? = nil, hint: Int? = nil) throws -> BundleDocument {
        let keys = authority.map {
            "{\"use\": \"x509-svid\", \"kty\": \"EC\", \"x5c\": [\"\(Data([$0]).base64EncodedString())\"]}"
        }
        let more = [sequence.map { ", \"spiffe_sequence\": \($0)" }, hint.map { ", \"spiffe_refresh_hint\": \($0)" }]
        let text = "{\"keys\": [\(keys ?? "")]\(more.compactMap(\.self).joined())}"
        return try BundleDocument(parsing: Array(text.utf8))
    }

    @Test("goes by the publisher's hint, and by five minutes without one")
    func interval() throws {
        var polling = BundlePolling(now: 100, staleAfterSeconds: 3_600)
        #expect(polling.dueAt == 100)
        #expect(polling.answered(try document(1), now: 100, chance: 0) == .changed)
        #expect(polling.dueAt == 400)
        #expect(polling.answered(try document(1, hint: 60), now: 400, chance: 1) == .unchanged)
        #expect(polling.dueAt == 454)
        #expect(polling.answered(try document(2, hint: 10_000_000), now: 454, chance: 0) == .changed)
        #expect(polling.dueAt == 454 + 86_400)
    }

    @Test("keeps the last good bundle over failed polls until it is stale")
    func staleness() throws {
        var polling = BundlePolling(now: 0, staleAfterSeconds: 100)
        _ = polling.answered(try document(1, hint: 20), now: 0, chance: 0)
        var waits: [Int64] = []
        var now: Int64 = 20
        while now < 100 {
            polling.failed(now: now)
            waits.append(polling.dueAt - now)
            now = polling.dueAt
            let early = polling.checkAge(now: min(now, 100))
            #expect(!early)
        }
        #expect(waits == [1, 2, 4, 8, 16, 20, 20, 20])
        #expect(polling.authorities == [[1]])
        let late = polling.checkAge(now: 101)
        #expect(late && polling.authorities == nil)
        let again = polling.checkAge(now: 102)
        #expect(!again)
        #expect(polling.answered(try document(1), now: 120, chance: 0) == .changed)
    }

    @Test("a sequence that was once far too high locks the publisher out only until its bundle is stale")
    func wayBack() throws {
        var polling = BundlePolling(now: 0, staleAfterSeconds: 100)
        _ = polling.answered(try document(1, sequence: 1_000_000_000_000_000), now: 0, chance: 0)
        let refused = polling.answered(try document(2, sequence: 2), now: 50, chance: 0)
        #expect(refused == .refused(sequence: 2, current: 1_000_000_000_000_000))
        let isStale = polling.checkAge(now: 101)
        #expect(isStale)
        #expect(polling.answered(try document(2, sequence: 3), now: 102, chance: 0) == .changed)
        #expect(polling.authorities == [[2]])
    }

    @Test("refuses a document that is older than the one in use")
    func sequence() throws {
        var polling = BundlePolling(now: 0, staleAfterSeconds: 100)
        _ = polling.answered(try document(1, sequence: 5), now: 0, chance: 0)
        #expect(polling.answered(try document(2, sequence: 4), now: 1, chance: 0) == .refused(sequence: 4, current: 5))
        #expect(polling.authorities == [[1]])
        #expect(polling.answered(try document(2, sequence: 6), now: 2, chance: 0) == .changed)
        #expect(polling.answered(try document(nil, sequence: 7), now: 2, chance: 0) == .changed)
        #expect(polling.authorities == [])
    }
}
