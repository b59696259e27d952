import Authority
import Foundation
import Settings
import Testing

@testable import Control

@Suite("The settings in use while their files change")
struct ConfigurationTests {
    @Test("comments and layout change nothing, and flaws found later are told at the new place")
    func comments() throws {
        let site = try Site()
        let ready = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready)
        var configuration = Configuration(ready, path: site.settings)
        let text = try String(contentsOfFile: site.settings, encoding: .utf8)
        try writeFile("# A comment.\n" + text, path: site.settings, mode: 0o644)
        let same = configuration.look(now: Self.now)
        #expect(same.change == nil && same.settingsAreSound && same.identityIsSound && same.news.isEmpty)
        try writeFile("", path: site.folder.file("bundle.pem"), mode: 0o644)
        let flawed = configuration.look(now: Self.now)
        #expect(flawed.change == nil && flawed.settingsAreSound && !flawed.identityIsSound)
        let places = flawed.news.map { "\($0.position)" }
        #expect(places == ["\(site.settings):6:33"], "\(flawed.news)")
    }

    @Test("a comment that comes with a flawed identity moves the place of its flaws, which are told of once")
    func commentAndFlaw() throws {
        let site = try Site()
        let ready = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready)
        var configuration = Configuration(ready, path: site.settings)
        let text = try String(contentsOfFile: site.settings, encoding: .utf8)
        try writeFile("# A comment.\n" + text, path: site.settings, mode: 0o644)
        try writeFile("", path: site.folder.file("bundle.pem"), mode: 0o644)
        let flawed = configuration.look(now: Self.now)
        #expect(flawed.settingsAreSound && !flawed.identityIsSound)
        #expect(flawed.news.map { "\($0.position)" } == ["\(site.settings):6:33"], "\(flawed.news)")
    }

    @Test("another value is a change, whatever else is in the file")
    func change() throws {
        let site = try Site()
        let ready = try #require(CheckedSettings.load(path: site.settings, now: Self.now).ready)
        var configuration = Configuration(ready, path: site.settings)
        let text = try String(contentsOfFile: site.settings, encoding: .utf8)
        let longer = text.replacing("drainTimeout: 1s", with: "drainTimeout: 2s")
        try writeFile(longer, path: site.settings, mode: 0o644)
        let change = try #require(configuration.look(now: Self.now).change)
        #expect(change.settings.limits.drainTimeoutMilliseconds == 2_000)
        configuration.take(change)
        #expect(configuration.look(now: Self.now).change == nil)
    }

    private static let now = Int64(Date().timeIntervalSince1970)
}
