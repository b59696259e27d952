/// The candidate most likely meant by a misspelt name, if any is close: at most one edit per three letters, or one a
/// prefix of the other.
public func nearestName(to name: String, among candidates: [String]) -> String? {
    let wanted = Array(name.lowercased().utf8)
    guard (1...lettersAtMost).contains(wanted.count), name.contains(where: \.isLetter) else { return nil }
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
        let letters = Array(candidate.lowercased().utf8)
        guard letters.count <= lettersAtMost, let distance = distance(wanted, letters) else { continue }
        if distance < best?.distance ?? .max {
            best = (candidate, distance)
        }
    }
    return best?.candidate
}

/// The distance of two words; nil if they are too far apart.
private func distance(_ a: [UInt8], _ b: [UInt8]) -> Int? {
    let allowed = max(1, max(a.count, b.count) / 3)
    let isBeginning = min(a.count, b.count) >= 3 && (a.starts(with: b) || b.starts(with: a))
    if isBeginning { return min(abs(a.count - b.count), allowed) }
    guard abs(a.count - b.count) <= allowed else { return nil }
    let edits = editDistance(a, b)
    return edits <= allowed ? edits : nil
}

/// Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for i in a.indices {
        var current = [i + 1]
        for j in b.indices {
            let replaced = previous[j] + (a[i] == b[j] ? 0 : 1)
            var cost = min(replaced, previous[j + 1] + 1, current[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                cost = min(cost, beforePrevious[j - 1] + 1)
            }
            current.append(cost)
        }
        beforePrevious = previous
        previous = current
    }
    return previous[b.count]
}

/// Longer names get no suggestion, which bounds the work per flaw.
private let lettersAtMost = 128
