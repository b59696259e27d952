import PosternTesting
import Settings
import Testing

@Suite("Garbage")
struct GarbageTests {
    /// Settings and errors exclude each other, and flaws are in the order of the file.
    private func expectSense(_ text: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
        let outcome = Settings.parse(text: text, file: "p.yaml")
        let hasErrors = outcome.flaws.contains { $0.severity == .error }
        #expect((outcome.settings == nil) == hasErrors, sourceLocation: sourceLocation)
        let places = outcome.flaws.map { ($0.position.line, $0.position.column) }
        #expect(zip(places, places.dropFirst()).allSatisfy { $0 <= $1 }, sourceLocation: sourceLocation)
        #expect(places.allSatisfy { $0.0 >= 1 && $0.1 >= 1 }, sourceLocation: sourceLocation)
    }

    @Test("the example cut at every byte is refused or means something")
    func truncations() {
        let bytes = Array(exampleSettings.utf8)
        for count in 0..<bytes.count { expectSense(Array(bytes[..<count])) }
    }

    @Test("the example with bytes changed is refused or means something", arguments: 0..<8)
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let telling: [UInt8] = Array("[]{}:,&*!|>'\"%@`#-?~<\t\n\r \0\u{1B}\u{7F}".utf8) + [0x80, 0xC3, 0xFF]
        for _ in 0..<250 {
            var bytes = Array(exampleSettings.utf8)
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                let byte = random.chance(50) ? random.pick(telling) : .random(in: 0...255, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = byte
                case 1: bytes.insert(byte, at: index)
                default: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 0..<40, using: &random)))
                }
            }
            expectSense(bytes)
        }
    }

    @Test("random bytes are refused", arguments: 0..<8)
    func noise(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<250 {
            let bytes = (0..<Int.random(in: 0..<300, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            expectSense(bytes)
            #expect(Settings.parse(text: bytes, file: "p.yaml").settings == nil)
        }
    }

    @Test(
        "deep nesting ends early",
        arguments: [
            String(repeating: "[", count: 500_000), String(repeating: "{a: ", count: 250_000),
            String(repeating: "- ", count: 500_000), String(repeating: "? ", count: 500_000),
        ])
    func nesting(text: String) {
        #expect(flaws(of: text).count == 1)
        #expect(flaws(of: text).first?.hasSuffix("nested more than 32 levels deep") == true)
    }

    @Test("a tower of aliases ends early")
    func billionLaughs() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(flaws(of: text).count == 1)
        #expect(flaws(of: text).first?.hasSuffix("more than 100000 values, aliases expanded") == true)
    }

    @Test("a file of a mebibyte is read, a larger one refused")
    func size() {
        let padding = Array(repeating: UInt8(ascii: "#"), count: 1 << 20)
        let example = Array(exampleSettings.utf8)
        #expect(Settings.parse(text: example + padding.dropLast(example.count), file: "p.yaml").settings != nil)
        #expect(
            Settings.parse(text: example + padding, file: "p.yaml").flaws.map(\.description)
                == ["p.yaml:1:1: error: the file is larger than 1024 KiB"])
    }

    @Test("a file of flaws gets a bounded report that says so")
    func manyFlaws() {
        let text = (0..<20_000).map { "unknown\($0): *nowhere\n" }.joined()
        let told = flaws(of: text)
        #expect(told.count == 1_001)
        #expect(told.last?.hasSuffix("too many flaws: the rest is not shown") == true)
    }

    @Test("a message contains no terminal control characters")
    func escapes() {
        let text = exampleReplacing("mode: outbound ", with: #"mode: "\e[31mred\nnew\u202Eline" "#)
        #expect(
            flaws(of: text) == [
                #"23:11: error: expected one of inbound, outbound, found `\u{1b}[31mred\u{a}new\u{202e}line`"#
            ])
    }

    @Test("a long value is shortened in its message")
    func longValues() {
        let text = exampleReplacing("workers: 1 ", with: "workers: \(String(repeating: "x", count: 10_000)) ")
        #expect(flaws(of: text).map(\.count) == [145])
    }
}
