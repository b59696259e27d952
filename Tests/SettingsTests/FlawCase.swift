import PosternTesting
import Testing

/// A bad settings file, and every flaw in it as `line:column: severity: message`; of a message that another module
/// ends, up to `...`.
struct FlawCase: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let flaws: [String]

    /// The example with one piece of it replaced.
    init(_ name: String, replacing old: String, with new: String, flaws: [String]) {
        self.init(name, text: exampleReplacing(old, with: new), flaws: flaws)
    }

    init(_ name: String, text: String, flaws: [String]) {
        self.name = name
        self.text = text
        self.flaws = flaws
    }

    /// Whether these are the flaws, to the letter.
    func expects(_ told: [String]) -> Bool {
        told.count == flaws.count
            && zip(told, flaws).allSatisfy { told, flaw in
                flaw.hasSuffix("...") ? told.hasPrefix(flaw.dropLast(3)) : told == flaw
            }
    }

    var testDescription: String { name }
}
