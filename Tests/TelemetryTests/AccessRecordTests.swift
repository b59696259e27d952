import Foundation
import Telemetry
import Testing

@Suite("The access record")
struct AccessRecordTests {
    @Test("a full record is one line with every field")
    func full() {
        let record = AccessRecord(
            timeUnixNanoseconds: 1_700_000_000_123_456_789, listener: "orders", direction: .inbound, route: "main",
            source: "127.0.0.1:5000", upstream: "[::1]:80", serverName: "orders.internal", applicationProtocol: "h2",
            tlsVersion: "1.3", cipher: "TLS_AES_128_GCM_SHA256", keyExchange: "P-384", resumed: false,
            localID: "spiffe://example.org/server", peerID: "spiffe://example.org/client",
            peerCertificate: .init(serialNumber: "0a1b", sha256: "ff00", notAfterUnixSeconds: 1_700_003_600),
            decision: .wouldDeny, policy: "callers", rule: "no-legacy", closeReason: "closed-by-source",
            closeDetail: "after the answer", bytesToUpstream: 12, bytesFromUpstream: .max,
            handshakeNanoseconds: 1_250_999, durationNanoseconds: 61_000_000_000)
        let expected =
            #"{"time":"2023-11-14T22:13:20.123Z","listener":"orders","route":"main","direction":"inbound","#
            + #""source":"127.0.0.1:5000","upstream":"[::1]:80","sni":"orders.internal","alpn":"h2","#
            + #""tlsVersion":"1.3","cipher":"TLS_AES_128_GCM_SHA256","keyExchange":"P-384","resumed":false,"#
            + #""localId":"spiffe://example.org/server","peerId":"spiffe://example.org/client","#
            + #""peerSerial":"0a1b","peerSha256":"ff00","peerNotAfter":"2023-11-14T23:13:20Z","#
            + #""decision":"would-deny","policy":"callers","rule":"no-legacy","reason":"closed-by-source","#
            + #""detail":"after the answer","bytesToUpstream":12,"bytesFromUpstream":18446744073709551615,"#
            + #""handshakeMs":1.250,"durationMs":61000.000}"# + "\n"
        #expect(line(record) == expected)
    }

    @Test("absent values are left out")
    func absent() {
        let record = AccessRecord(
            timeUnixNanoseconds: 0, listener: "l", direction: .outbound, closeReason: "no-certificate",
            durationNanoseconds: -5)
        let expected =
            #"{"time":"1970-01-01T00:00:00.000Z","listener":"l","direction":"outbound","reason":"no-certificate","#
            + #""bytesToUpstream":0,"bytesFromUpstream":0,"durationMs":0.000}"# + "\n"
        #expect(line(record) == expected)
    }

    @Test("lines append: what is in the buffer stays")
    func appends() {
        var buffer = Array("before\n".utf8)
        sample(serverName: nil).appendJSON(to: &buffer)
        sample(serverName: nil).appendJSON(to: &buffer)
        let lines = String(decoding: buffer, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3 && lines[0] == "before" && lines[1] == lines[2])
    }

    @Test(
        "hostile text neither leaves its string nor reaches a terminal",
        arguments: [
            "\"}", "\\", "\n{\"listener\":\"forged\"}", "\u{0}\u{1F}\u{7F}", "\u{1B}[2J", "\u{9B}2J",
            "\u{2028}\u{2029}",
            "é漢😀",
        ])
    func hostile(text: String) throws {
        let encoded = line(sample(serverName: text))
        #expect(encoded.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        let object = try JSONSerialization.jsonObject(with: Data(encoded.utf8)) as? [String: Any]
        #expect(object?["sni"] as? String == text)
        #expect(object?["listener"] as? String == "l")
    }

    @Test("every text is bounded, at a character's boundary")
    func bounded() throws {
        let long = String(repeating: "\u{1}", count: 100_000)
        var record = sample(serverName: String(repeating: "é", count: 300))
        #expect(line(record).contains("\"sni\":\"\(String(repeating: "é", count: 128))...\""))
        for field in [
            \AccessRecord.route, \.source, \.upstream, \.serverName, \.applicationProtocol, \.tlsVersion,
            \.cipher, \.keyExchange, \.localID, \.peerID, \.policy, \.rule, \.closeDetail,
        ] {
            record[keyPath: field] = long
        }
        record.listener = long
        record.closeReason = long
        record.peerCertificate = .init(serialNumber: long, sha256: long, notAfterUnixSeconds: 0)
        record.claimedPeer = .init(
            id: long, names: long, serialNumber: long, sha256: long, issuer: long, notAfterUnixSeconds: 0,
            isVerified: false)
        let encoded = line(record)
        #expect(encoded.utf8.count <= AccessRecord.maximumLineBytes)
        #expect(try JSONSerialization.jsonObject(with: Data(encoded.utf8)) is [String: Any])
    }

    private func sample(serverName: String?) -> AccessRecord {
        AccessRecord(
            timeUnixNanoseconds: 0, listener: "l", direction: .inbound, serverName: serverName, closeReason: "r",
            durationNanoseconds: 0)
    }

    private func line(_ record: AccessRecord) -> String {
        var bytes: [UInt8] = []
        record.appendJSON(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

@Suite("The JSON writer")
struct JSONWriterTests {
    @Test("objects and arrays nest, with commas between")
    func nesting() {
        var json = JSONWriter()
        json.beginObject()
        json.beginArray("a")
        json.element("x")
        json.element("y")
        json.beginObject()
        json.field("n", Int?.none)
        json.endObject()
        json.endArray()
        json.field("b", true)
        json.field("c", -3)
        json.endObject()
        json.newline()
        #expect(json.text == #"{"a":["x","y",{}],"b":true,"c":-3}"# + "\n")
    }
}
