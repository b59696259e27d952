import Control
import Foundation
import Identity
import PosternTesting
import Settings
import System
import TLS
import Authority
import SVID
import Testing

@Suite("Settings and the files they name")
struct CheckedSettingsTests {
    @Test("a good site is ready, without a flaw")
    func good() throws {
        let site = try Site()
        let checked = CheckedSettings.load(path: site.settings, now: Self.now)
        #expect(checked.flaws.isEmpty, "\(checked.flaws)")
        #expect(checked.ready?.material?.id.description == "spiffe://example.org/ns/default/sa/server")
    }

    @Test("a flaw of a file points at the setting that names it, and names the file")
    func positions() throws {
        let site = try Site()
        let other = try CertificateAuthority(trustDomain: "example.org").issue()
        try writeFile(other.privateKeyPEM, path: site.folder.file("svid.key"), mode: 0o644)
        try writeFile("", path: site.folder.file("bundle.pem"), mode: 0o644)
        let checked = CheckedSettings.load(path: site.settings, now: Self.now)
        #expect(checked.ready == nil)
        let text = checked.flaws.map(\.description)
        #expect(text.contains { $0.hasPrefix("\(site.settings):4:17: error: \(site.folder.file("svid.key")): ") })
        #expect(text.contains { $0.hasPrefix("\(site.settings):4:17: warning: ") }, "readable by others: \(text)")
        #expect(text.contains { $0.hasPrefix("\(site.settings):5:33: error: \(site.folder.file("bundle.pem")): ") })
        let lines = checked.flaws.map(\.position.line)
        #expect(lines == lines.sorted())
    }

    @Test("an SVID that is over is an error at check time")
    func expired() throws {
        let site = try Site()
        let checked = CheckedSettings.load(path: site.settings, now: Self.now + 30 * 86_400)
        #expect(checked.ready == nil)
        #expect(checked.flaws.contains { $0.description.contains("svid.pem") }, "\(checked.flaws)")
    }

    @Test(
        "an admin socket that cannot be made here is told of, and checking makes none",
        arguments: [
            ("missing/admin.sock", "its folder must be there"), ("svid.pem", "which is no socket"), ("admin.sock", nil),
        ] as [(String, String?)])
    func adminSocket(path: String, obstacle: String?) throws {
        let site = try Site()
        let text = try String(contentsOfFile: site.settings, encoding: .utf8)
        let admin = "admin: {socket: {path: \"\(site.folder.file(path))\"}}"
        try writeFile(text.replacing(/admin: .*/, with: admin), path: site.settings, mode: 0o644)
        let checked = CheckedSettings.load(path: site.settings, now: Self.now)
        #expect(checked.ready != nil, "another user may be the one to run it")
        let texts = checked.flaws.map(\.description)
        #expect(texts.count == (obstacle == nil ? 0 : 1), "\(texts)")
        if let obstacle {
            #expect(texts[0].hasPrefix("\(site.settings):6:") && texts[0].contains(obstacle), "\(texts)")
            let doctor = try Postern.run(["doctor", "--config", site.settings])
            #expect(doctor.output.contains(obstacle), "\(doctor)")
        }
        #expect(!FileManager.default.fileExists(atPath: site.folder.file("admin.sock")))
    }

    @Test(
        "an access log that cannot be opened is an error at check time, and checking makes no file",
        arguments: [("missing/access.log", "No such file"), (".", "Is a directory"), ("access.log", nil)]
            as [(String, String?)])
    func accessLog(path: String, obstacle: String?) throws {
        let site = try Site { $0.replacing("accessLog: access.log", with: "accessLog: \(path)") }
        let checked = CheckedSettings.load(path: site.settings, now: Self.now)
        #expect((checked.ready == nil) == (obstacle != nil))
        let texts = checked.flaws.map(\.description)
        #expect(texts.count == (obstacle == nil ? 0 : 1))
        if let obstacle {
            #expect(texts[0].hasPrefix("\(site.settings):8:12: error: ") && texts[0].contains(obstacle), "\(texts)")
        }
        #expect(!FileManager.default.fileExists(atPath: site.folder.file("access.log")))
    }

    @Test("a key exchange group that OpenSSL lacks is a warning, and an error where no other is named")
    func keyExchange() throws {
        let lacksHybrids = !KeyExchangeGroup.available.contains(.x25519MLKEM768)
        for (groups, isReady) in [("P-384, X25519MLKEM768", true), ("X25519MLKEM768", !lacksHybrids)] {
            let site = try Site { "tls: {keyExchange: [\(groups)]}\n" + $0 }
            let checked = CheckedSettings.load(path: site.settings, now: Self.now)
            #expect((checked.ready != nil) == isReady)
            let text = checked.flaws.map(\.description)
            guard lacksHybrids else {
                #expect(text == [])
                continue
            }
            #expect(text.count == 1)
            let start = isReady ? "1:28: warning: OpenSSL 3." : "1:20: error: OpenSSL 3."
            #expect(text.first?.hasPrefix("\(site.settings):\(start)") == true, "\(text)")
        }
    }

    @Test("settings that cannot be read say so at the first line")
    func missing() {
        let checked = CheckedSettings.load(path: "/nowhere/postern.yaml", now: Self.now)
        #expect(checked.ready == nil && checked.settings == nil)
        #expect(checked.flaws.first?.description.hasPrefix("/nowhere/postern.yaml:1:1: error: ") == true)
    }

    private static let now = WallClock.seconds()
}
