import Foundation
import Loopback
import ManifestTesting
import PosternTesting
import Testing

/// `postern inject`, and readers of its output that nobody here wrote.
@Suite("Injection")
struct InjectTests {
    @Test("PyYAML reads the original and the sidecar, and the schemas of Kubernetes accept it")
    func schemas() throws {
        let folder = try TemporaryFolder()
        for (number, manifest) in Manifests.all.enumerated() {
            let path = try folder.write(manifest.text, to: "\(number).before")
            let result = try Self.run(["inject", path])
            #expect(result.exit == .code(0), "\(manifest): \(result.complaints)")
            try folder.write(String(decoding: result.output, as: UTF8.self), to: "\(number).after")
            let removal = try Self.run(["inject", "--uninject", "-"], input: result.output)
            #expect(removal.output == manifest.bytes, "\(manifest)")
        }
        let script = try #require(Bundle.module.path(forResource: "manifest_check", ofType: "py"))
        let python = try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
        let process = try ChildProcess([python, script, folder.path, Self.version])
        #expect(process.awaitExit(within: .seconds(120)) == .code(0), "\(process.standardError.text)")
        let words = process.standardOutput.text.split(whereSeparator: \.isWhitespace)
        try #require(words.count == 4)
        #expect(Int(words[1]) == Manifests.all.reduce(0) { $0 + $1.pods })
        // The others are no valid objects to begin with.
        #expect(try #require(Int(words[3])) >= 30, "\(words)")
    }

    @Test("the patches for AdmissionReviews apply by a library of PyPI, and the pods are valid")
    func reviews() throws {
        let folder = try TemporaryFolder()
        for (number, manifest) in Manifests.all.enumerated() { try folder.write(manifest.text, to: "\(number).before") }
        let script = try #require(Bundle.module.path(forResource: "admission_check", ofType: "py"))
        let python = try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
        let process = try ChildProcess([python, script, try PosternBinary.path(), folder.path, Self.version])
        #expect(process.awaitExit(within: .seconds(300)) == .code(0), "\(process.standardError.text)")
        let words = process.standardOutput.text.split(whereSeparator: \.isWhitespace)
        try #require(words.count == 6, "\(process.standardOutput.text)")
        #expect(try #require(Int(words[1])) >= 150 && #require(Int(words[3])) >= 90, "\(words)")
    }

    @Test("a review that is none is refused", arguments: ["", "[]", "{\"kind\": \"AdmissionReview\"}", "{}\n---\n{}"])
    func badReviews(_ text: String) throws {
        let result = try Self.run(["inject", "--review"], input: Array(text.utf8))
        #expect(result.exit == .code(2) && result.output.isEmpty && result.complaints.contains("no AdmissionReview"))
    }

    @Test("a dry run writes nothing, and says what it would do and why it skips")
    func dryRun() throws {
        let result = try Self.run(["inject", "--dry-run"], input: Array(Self.mixed.utf8))
        #expect(result.exit == .code(0) && result.output.isEmpty)
        #expect(
            result.complaints == """
                -:1:1: Pod `a`: injected
                -:6:1: Pod `b`: skipped: hostNetwork: the rules would be those of the node
                -:11:1: Deployment `c`: skipped: it has no pod template
                warning: `postern:0.1.0` names no registry, so that nodes that do not have the image ask Docker Hub \
                for it: name one by `--image` or `postern.dev/image`, such as `registry.example.org/postern:0.1.0`

                """)
        let wet = try Self.run(["inject", "-"], input: Array(Self.mixed.utf8))
        #expect(!wet.output.isEmpty && wet.complaints.contains("names no registry"))
        let named = try Self.run(["inject", "--image", "localhost/postern"], input: Array(Self.mixed.utf8))
        #expect(!named.complaints.contains("registry"))
        #expect(!wet.complaints.contains("`a`") && wet.complaints.contains("`b`: skipped"))
    }

    @Test("what is refused leaves no output, and tells the place", arguments: ["a: [}", "a: \u{1}", "\u{0}\u{0}"])
    func refusals(_ text: String) throws {
        let result = try Self.run(["inject"], input: Array(text.utf8))
        #expect(result.exit == .code(2) && result.output.isEmpty)
        #expect(result.complaints.hasPrefix("-:1:"), "\(result.complaints)")
    }

    @Test(
        "the injected arguments are those of `postern redirect` and `postern run`, with the settings that the page names"
    )
    func arguments() throws {
        let page = try TransparentPage().settings(.redirect)
        // The three changes that the page on injection tells.
        var settings = page.replacing(/identity:\n(?: .*\n)+/, with: "")
        settings = settings.replacing(/mark: .*\n/, with: "")
        settings = settings.replacing("admin: {bind: \"127.0.0.1:15000\"}", with: "admin: {bind: \"0.0.0.0:15000\"}")
        #expect(!settings.contains("identity:") && !settings.contains("mark:") && settings.contains("0.0.0.0:15000"))
        let folder = try TemporaryFolder()
        let path = try folder.write(settings, to: "postern.yaml")
        let injected = String(
            decoding: try Self.run(["inject"], input: Array(Self.choosing.utf8)).output, as: UTF8.self)
        var lists: [[String]] = []
        for match in injected.matches(of: /args: \[(.*)\]/) {
            let words: [Substring] = match.1.split(separator: ", ")
            lists.append(words.map { word in String(word.filter { $0 != "\"" }) })
        }
        let socket = try #require(injected.firstMatch(of: /value: "(unix:.*)"/)).1
        let environment = ["SPIFFE_ENDPOINT_SOCKET": String(socket)]
        try #require(lists.count == 3)
        // What it would apply, from the same words.
        let replaced = ["--apply": "--print", Self.mounted: path]
        let words: [String] = lists[0].map { word in replaced[word] ?? word }
        let rules = try PosternBinary.run(words, in: folder, environment: environment)
        #expect(rules.exit == .code(0), "\(words): \(rules.errors)")
        for part in ["skuid 1337", "9100-9199", "5432", "198.51.100.0/24", "15000"] {
            #expect(rules.output.contains(part), "\(part) is not in \(rules.output)")
        }
        #expect(lists[1] == ["validate", "--config", Self.mounted, "--user", "1337"])
        #expect(lists[2] == ["run", "--config", Self.mounted, "--drain-delay", "5s"])
        for list in lists {
            let help = try PosternBinary.run(["help", list[0]], in: folder)
            for option in list where option.hasPrefix("--") {
                #expect(help.output.contains(option), "\(list[0]) has no \(option)")
            }
        }
        let check = try PosternBinary.run(["check", "--config", path], in: folder, environment: environment)
        #expect(check.exit == .code(0), "\(check.errors)")
    }

    @Test("a file that is not there, an image that is none")
    func badArguments() throws {
        let absent = try Self.run(["inject", "/nonexistent.yaml"])
        #expect(absent.exit == .code(2) && absent.complaints.contains("No such file"))
        let image = try Self.run(["inject", "--image", "a b"])
        #expect(image.exit == .code(2) && image.complaints.contains("is no image"))
    }

    private struct Result {
        let exit: ProcessExit?
        let output: [UInt8]
        let complaints: String
    }

    private static func run(_ words: [String], input: [UInt8] = []) throws -> Result {
        let process = try ChildProcess([try PosternBinary.path()] + words)
        process.write(input)
        process.closeInput()
        let exit = process.awaitExit(within: .seconds(30))
        return Result(exit: exit, output: process.standardOutput.bytes, complaints: process.standardError.text)
    }

    private static let version = "0.1.0"
    private static let mounted = "/etc/postern/postern.yaml"

    private static let choosing = """
        apiVersion: v1
        kind: Pod
        metadata:
          name: a
          annotations:
            postern.dev/skip-inbound-ports: "22,9100-9199"
            postern.dev/skip-outbound-ports: "5432"
            postern.dev/skip-outbound-addresses: 198.51.100.0/24
        spec:
          containers:
            - name: a
              image: a

        """

    private static let mixed = """
        apiVersion: v1
        kind: Pod
        metadata: {name: a}
        spec: {containers: [{name: a, image: a}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: b}
        spec: {hostNetwork: true, containers: [{name: b, image: b}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: c}
        spec: {replicas: 2}

        """
}
