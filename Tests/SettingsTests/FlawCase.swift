import Testing

/// A bad settings file, and every flaw in it as `line:column: severity: message`.
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

    var testDescription: String { name }
}
