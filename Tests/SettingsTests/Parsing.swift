import Settings

/// What comes of a text as the file `p.yaml`.
func outcome(of text: String) -> LoadOutcome {
    Settings.parse(text: Array(text.utf8), file: "p.yaml")
}

/// The flaws of a text as they are printed, without the file's name, and without what is said of the example's open
/// rule.
func flaws(of text: String) -> [String] {
    allFlaws(of: text).filter { !$0.contains("this allows every peer of every trust domain") }
}

func allFlaws(of text: String) -> [String] {
    outcome(of: text).flaws.map { String($0.description.dropFirst("p.yaml:".count)) }
}
