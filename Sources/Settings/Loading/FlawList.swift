/// The flaws found so far, limited so that a garbage file does not produce a larger report.
struct FlawList {
    static let flawsAtMost = 1_000

    private var seen: Set<SettingsFlaw> = []
    private(set) var hasErrors = false

    /// Adds a flaw unless present: the value behind an alias is read at each use.
    mutating func append(_ flaw: SettingsFlaw) {
        if flaw.severity == .error { hasErrors = true }
        guard !isFull else { return }
        seen.insert(flaw)
    }

    var isEmpty: Bool { seen.isEmpty }

    /// Whether further flaws would not be shown.
    var isFull: Bool { seen.count >= Self.flawsAtMost }

    /// In the order of the file.
    func inOrder() -> [SettingsFlaw] {
        var flaws = seen.sorted {
            ($0.position.line, $0.position.column, $0.message) < ($1.position.line, $1.position.column, $1.message)
        }
        if isFull, let last = flaws.last {
            flaws.append(SettingsFlaw(.error, at: last.position, "too many flaws: the rest is not shown"))
        }
        return flaws
    }
}
