import Policy
import TLS
import Testing

@Suite("The grammar of server names")
struct ServerNameGrammarTests {
    @Test("is the same for settings and TLS: what a rule may name can be asked for, and the other way round")
    func agrees() {
        // Every text of up to four of these pieces.
        let pieces = ["a", "Z", "7", ".", "-", "_", " ", "*", "\u{E9}"]
        var texts = [""]
        var generation = [""]
        for _ in 0..<4 {
            generation = generation.flatMap { text in pieces.map { text + $0 } }
            texts += generation
        }
        for length in [63, 64] { texts.append(String(repeating: "a", count: length)) }
        for text in texts where !text.contains("*") && !text.hasSuffix(".") {
            let isPattern = (try? ServerNamePattern(parsing: text)) != nil
            let isName = ServerName.parse(text.utf8) != nil
            #expect(isPattern == isName, "\"\(text)\"")
        }
    }
}
