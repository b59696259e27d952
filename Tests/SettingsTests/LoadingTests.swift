import Glibc
import PosternTesting
import Settings
import Testing

@Suite("Loading a settings file")
struct LoadingTests {
    @Test("reads a file, and names it in each flaw")
    func namesFile() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(exampleReplacing("workers: 1 ", with: "workers: 0 "), to: "p.yaml")
        let outcome = Settings.load(path: path)
        #expect(outcome.settings == nil)
        #expect(
            outcome.flaws.filter { $0.severity == .error }.map(\.description) == [
                "\(path):10:10: error: expected a whole number from 1 to 1024, found `0`"
            ])
    }

    @Test("refuses a FIFO at once instead of blocking on it")
    func fifo() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("p.yaml")
        // The C string lives for the length of the call.
        #expect(unsafe mkfifo(path, 0o600) == 0)
        let outcome = Settings.load(path: path)
        #expect(
            outcome.flaws.map(\.description) == [
                "\(path):1:1: error: not a regular file: reading a FIFO or a device could block the proxy"
            ])
    }

    @Test("suggests no anchor if there are too many to compare")
    func manyAnchors() {
        let anchors = (0..<300).map { "  - &anchor\($0) x" }.joined(separator: "\n")
        let few = Settings.parse(text: Array("a:\n  - &anchor1 x\n  - *anchro1\n".utf8), file: "few.yaml")
        #expect(few.flaws.contains { $0.message.contains("did you mean `*anchor1`") }, "\(few.flaws)")
        let many = Settings.parse(text: Array("a:\n\(anchors)\n  - *anchro1\n".utf8), file: "many.yaml")
        #expect(many.flaws.contains { $0.message.contains("no anchor `&anchro1`") })
        #expect(!many.flaws.contains { $0.message.contains("did you mean `*") })
    }

    @Test(
        "says why a file cannot be read",
        arguments: [
            ("/nowhere/p.yaml", "the file cannot be opened: No such file or directory"),
            ("/", "not a regular file: reading a FIFO or a device could block the proxy"),
            ("/dev/zero", "not a regular file: reading a FIFO or a device could block the proxy"),
        ])
    func unreadable(path: String, message: String) {
        let outcome = Settings.load(path: path)
        #expect(outcome.settings == nil)
        #expect(outcome.flaws.map(\.description) == ["\(path):1:1: error: \(message)"])
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
        #expect(files.certificate == opened)
    }

    @Test("passes over a byte order mark")
    func byteOrderMark() {
        let outcome = Settings.parse(text: [0xEF, 0xBB, 0xBF] + Array(exampleSettings.utf8), file: "p.yaml")
        #expect(outcome.flaws.allSatisfy { $0.severity == .warning })
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
