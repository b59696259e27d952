import Foundation
import Settings
import Testing

@Suite("Loading a settings file")
struct LoadingTests {
    @Test("reads a file, and names it in each flaw")
    func namesFile() throws {
        let path = FileManager.default.temporaryDirectory.path + "/postern-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(exampleReplacing("workers: 1 ", with: "workers: 0 ").utf8).write(to: URL(fileURLWithPath: path))
        let outcome = Settings.load(path: path)
        #expect(outcome.settings == nil)
        #expect(
            outcome.flaws.map(\.description) == [
                "\(path):10:10: error: expected a whole number from 1 to 1024, found `0`"
            ])
    }

    @Test(
        "says why a file cannot be read",
        arguments: [
            ("/nowhere/p.yaml", "cannot be opened: No such file or directory"),
            ("/", "cannot be read: Is a directory"),
            ("/dev/zero", "is larger than 1024 KiB"),
        ])
    func unreadable(path: String, message: String) {
        let outcome = Settings.load(path: path)
        #expect(outcome.settings == nil)
        #expect(outcome.flaws.map(\.description) == ["\(path):1:1: error: the file \(message)"])
    }

    @Test(
        "joins relative paths to the folder of the settings file",
        arguments: [
            ("p.yaml", "svid.pem", "svid.pem"),
            ("conf/p.yaml", "svid.pem", "conf/svid.pem"),
            ("/p.yaml", "../svid.pem", "/../svid.pem"),
            ("/etc/p.yaml", "/run/svid.pem", "/run/svid.pem"),
        ])
    func relativePaths(file: String, written: String, opened: String) throws {
        let text = exampleReplacing("certificate: svid.pem", with: "certificate: \(written)")
        let settings = try #require(Settings.parse(text: Array(text.utf8), file: file).settings)
        guard case .files(let files) = settings.identity else { return }
        #expect(files.certificate.value == opened)
    }

    @Test("passes over a byte order mark")
    func byteOrderMark() {
        let outcome = Settings.parse(text: [0xEF, 0xBB, 0xBF] + Array(example.utf8), file: "p.yaml")
        #expect(outcome.flaws.isEmpty)
        #expect(outcome.settings != nil)
    }

    @Test("counts lines as editors do, whatever ends them")
    func carriageReturns() {
        let text = exampleReplacing("workers: 1 ", with: "workers: 0 ").replacing("\n", with: "\r\n")
        #expect(flaws(of: text) == ["10:10: error: expected a whole number from 1 to 1024, found `0`"])
    }

    @Test("gives the place of bytes that are not UTF-8")
    func notUTF8() {
        let outcome = Settings.parse(text: Array("a: 1\nb: ä".utf8) + [0xFF, 0x0A], file: "p.yaml")
        #expect(
            outcome.flaws.map(\.description) == [
                "p.yaml:2:5: error: the file is not UTF-8 text: invalid leading UTF-8 octet"
            ])
    }
}
