import Authority
import Foundation
import Identity
import PosternTesting
import SVID
import Settings
import Testing

@testable import Control

@Suite("The settings in use while their files change")
struct ReloadStateTests {
    @Test("comments and layout change nothing, and later flaws are reported at the new position")
    func comments() throws {
        let site = try Site()
        let ready = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready)
        var reload = ReloadState(ready, path: site.settings)
        let text = try String(contentsOfFile: site.settings, encoding: .utf8)
        try writeFile("# A comment.\n" + text, path: site.settings, mode: 0o644)
        let same = reload.readFiles(now: Self.now)
        #expect(same.change == nil && same.settingsAreSound && same.identityIsSound && same.unreported.isEmpty)
        try writeFile("", path: site.folder.file("bundle.pem"), mode: 0o644)
        let flawed = reload.readFiles(now: Self.now)
        #expect(flawed.change == nil && flawed.settingsAreSound && !flawed.identityIsSound)
        let places = flawed.unreported.map { "\($0.position)" }
        #expect(places == ["\(site.settings):6:33"], "\(flawed.unreported)")
    }

    @Test("a comment added beside a flawed identity moves its flaws' position, and they are reported once")
    func commentAndFlaw() throws {
        let site = try Site()
        let ready = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready)
        var reload = ReloadState(ready, path: site.settings)
        let text = try String(contentsOfFile: site.settings, encoding: .utf8)
        try writeFile("# A comment.\n" + text, path: site.settings, mode: 0o644)
        try writeFile("", path: site.folder.file("bundle.pem"), mode: 0o644)
        let flawed = reload.readFiles(now: Self.now)
        #expect(flawed.settingsAreSound && !flawed.identityIsSound)
        #expect(flawed.unreported.map { "\($0.position)" } == ["\(site.settings):6:33"], "\(flawed.unreported)")
    }

    @Test("another value is a change, whatever else is in the file")
    func change() throws {
        let site = try Site()
        let ready = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready)
        var reload = ReloadState(ready, path: site.settings)
        let text = try String(contentsOfFile: site.settings, encoding: .utf8)
        let longer = text.replacing("drainTimeout: 1s", with: "drainTimeout: 2s")
        try writeFile(longer, path: site.settings, mode: 0o644)
        let change = try #require(reload.readFiles(now: Self.now).change)
        #expect(change.settings.limits.drainTimeoutMilliseconds == 2_000)
        reload.adopt(change)
        #expect(reload.readFiles(now: Self.now).change == nil)
    }

    @Test("a partner's flawed bundle does not block an SVID renewal, and the partner keeps its last good bundle")
    func flawedPartner() throws {
        let partner = try CertificateAuthority(trustDomain: "partner.test")
        let site = try Site { text in
            text.replacing("{example.org: bundle.pem}", with: "{example.org: bundle.pem, partner.test: partner.pem}")
        }
        let bundle = site.folder.file("partner.pem")
        try writeFile(partner.bundlePEM, path: bundle, mode: 0o644)
        let ready = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready)
        var reload = ReloadState(ready, path: site.settings)

        try writeFile("", path: bundle, mode: 0o644)
        try site.authority.issue(path: "/ns/default/sa/renewed").write(
            certificate: site.folder.file("svid.pem"), privateKey: site.folder.file("svid.key"))
        let outcome = reload.readFiles(now: Self.now)
        let change = try #require(outcome.change)
        #expect(change.material?.id.path == "/ns/default/sa/renewed")
        let kept = change.material?.trustBundles.first { $0.trustDomain.name == "partner.test" }
        #expect(kept?.certificates == [partner.rootDER])
        #expect(outcome.settingsAreSound && !outcome.identityIsSound)
        #expect(outcome.unreported.map { $0.severity } == [.error])
        let text = outcome.unreported.first.map { "\($0)" } ?? ""
        #expect(text.contains("partner.pem") && text.contains("keeps its last good bundle"), "\(text)")
        reload.adopt(change)
        let again = reload.readFiles(now: Self.now)
        #expect(again.change == nil && again.unreported.isEmpty && !again.identityIsSound)

        // A start has nothing to lose, and somebody who looks.
        #expect(CheckedSettings.load(path: site.settings, now: Self.now).ready == nil)
        let toRun = try #require(CheckedSettings.load(toRun: site.settings, now: Self.now).ready)
        #expect(toRun.material?.trustBundles.map(\.trustDomain.name) == ["example.org"])

        // An edit of the settings does not wait for the partner, nor a renewed SVID for the bundle of its own domain,
        // where the last good one verifies it.
        let yaml = try String(contentsOfFile: site.settings, encoding: .utf8)
        try writeFile(yaml.replacing("drainTimeout: 1s", with: "drainTimeout: 2s"), path: site.settings, mode: 0o644)
        try writeFile("", path: site.folder.file("bundle.pem"), mode: 0o644)
        try site.authority.issue(path: "/ns/default/sa/third").write(
            certificate: site.folder.file("svid.pem"), privateKey: site.folder.file("svid.key"))
        let edited = reload.readFiles(now: Self.now)
        #expect(edited.change?.settings.limits.drainTimeoutMilliseconds == 2_000)
        #expect(edited.change?.material?.id.path == "/ns/default/sa/third")
        // A key that does not match is the SVID's flaw: what is to be trusted is taken all the same.
        reload.adopt(try #require(edited.change))
        try writeFile(site.authority.bundlePEM, path: site.folder.file("bundle.pem"), mode: 0o644)
        try writeFile(partner.bundlePEM + partner.bundlePEM, path: bundle, mode: 0o644)
        try writeFile(KeyPair.generate(.p256).privateKeyPEM, path: site.folder.file("svid.key"), mode: 0o600)
        let half = reload.readFiles(now: Self.now)
        #expect(half.change?.material?.id.path == "/ns/default/sa/third")
        #expect(half.change?.material?.trustBundles.contains { $0.certificates.count == 2 } == true)
    }

    @Test("a difference names its part, and the keys that apply at the next start")
    func difference() throws {
        let site = try Site()
        let old = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready).state
        #expect(StateDifference(from: old, to: old, started: old.settings).parts.isEmpty)
        let text = try String(contentsOfFile: site.settings, encoding: .utf8)
        try writeFile(text.replacing("workers: 2", with: "workers: 1"), path: site.settings, mode: 0o644)
        var new = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready).state
        #expect(StateDifference(from: old, to: new, started: old.settings).parts == [.settings])
        #expect(StateDifference(from: old, to: new, started: old.settings).keysForNextStart == ["workers"])
        new.material = nil
        #expect(StateDifference(from: old, to: new, started: old.settings).parts == [.settings, .identity])
    }

    private static let now = Int64(Date().timeIntervalSince1970)
}
