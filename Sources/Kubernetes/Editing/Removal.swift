import Settings

/// Collects the edits that take out what ``Placement`` has put in, found by its names.
struct Removal {
    /// A probe that asks the application again.
    struct Restored {
        /// Of its workload.
        let number: Int
        let path: String
        let handler: WrittenHandler
    }

    private(set) var restored: [Restored] = []
    private var edits: [TextEdit] = []
    /// Entries of braces and brackets, whose commas go with them.
    private var entries: [Range<Int>] = []
    private let source: SourceText

    init(_ source: SourceText) {
        self.source = source
    }

    mutating func remove(from pod: Cursor, number: Int) throws(SettingsFlaw) {
        if let spec = try pod.child("spec") {
            try restoreProbes(ProbeRecord.written(in: pod), in: spec, number)
            try removeItems(named: Sidecar.ContainerName.all, of: "initContainers", in: spec)
            try removeItems(named: Sidecar.VolumeName.all, of: "volumes", in: spec)
        }
        guard let metadata = try pod.child("metadata"), let annotations = try metadata.child("annotations"),
            try annotations.child(PodAnnotation.injected.name) != nil
        else { return }
        try annotations.requireEditable()
        if try removeEntry(PodAnnotation.injected.name, of: annotations) == .wasAdded,
            try removeEntry("annotations", of: metadata) == .wasAdded
        {
            _ = try removeEntry("metadata", of: pod)
        }
    }

    /// Of other containers that mount a volume of the sidecar's, as one does that is to reach the admin socket.
    static func mountWarnings(_ pod: Cursor) -> [SettingsFlaw] {
        var warnings: [SettingsFlaw] = []
        for list in ["initContainers", "containers"] {
            for container in pod.node.value("spec")?.written(list)?.items ?? [] {
                guard let name = container.value("name")?.text, !Sidecar.ContainerName.all.contains(name) else {
                    continue
                }
                for mount in container.value("volumeMounts")?.items ?? [] {
                    guard let volume = mount.value("name")?.text, Sidecar.VolumeName.all.contains(volume) else {
                        continue
                    }
                    warnings.append(
                        pod.warning(
                            "\(quoted(name)) mounts the volume \(quoted(volume)), which goes with the sidecar: take the "
                                + "mount out too, or the pod is refused", at: mount))
                }
            }
        }
        return warnings
    }

    /// All edits; a line break that was added at the end of the text goes with what stood behind it.
    func finished() -> [TextEdit] {
        let edits = edits + entryEdits
        guard source.bytes.last != .newline else { return edits }
        var end = source.bytes.count
        // From the last deletion back, as far as they touch.
        for edit in edits.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) where edit.range.upperBound == end {
            end = edit.range.lowerBound
        }
        guard end < source.bytes.count, end > 0, source.bytes[end - 1] == .newline else { return edits }
        var start = end - 1
        if start > 0, source.bytes[start - 1] == .carriageReturn { start -= 1 }
        return edits + [.delete(start..<end)]
    }

    /// Whether the probes say in a text what they said before they were rewritten.
    func isRestored(in workloads: [Workload]) -> Bool {
        var handlers: [Int: [String: SourceNode.Entry]] = [:]
        return restored.allSatisfy { restored in
            guard workloads.indices.contains(restored.number) else { return false }
            if handlers[restored.number] == nil {
                handlers[restored.number] = workloads[restored.number].pod?.node.probeHandlers ?? [:]
            }
            guard let expected = restored.handler.entry, let found = handlers[restored.number]?[restored.path] else {
                return false
            }
            return expected.key.text == found.key.text && Comparison.saysTheSame(expected.value, found.value)
        }
    }

    // MARK: Private

    private mutating func restoreProbes(
        _ written: [String: WrittenHandler], in spec: Cursor, _ number: Int
    ) throws(SettingsFlaw) {
        guard !written.isEmpty else { return }
        for list in ["initContainers", "containers"] {
            guard let containers = try spec.child(list) else { continue }
            for index in (containers.node.items ?? []).indices {
                let container = containers.item(index)
                guard let name = container.node.value("name")?.text else { continue }
                for kind in ProbeKind.allCases {
                    let path = ApplicationProbe.path(container: name, kind)
                    guard let original = written[path], let probe = try container.child(kind.rawValue),
                        let handler = try probe.child("httpGet"), let key = handler.key,
                        ApplicationProbe.isRewritten(key, handler.node, path: path)
                    else { continue }
                    try handler.requireEditable()
                    guard let range = handler.entryRange, let text = original.replacement(for: handler) else {
                        throw handler.flaw(
                            "\(quoted(ProbeRecord.writtenVariable)) does not say what this probe was: write it anew")
                    }
                    edits.append(TextEdit(range: range, text: text))
                    restored.append(Restored(number: number, path: path, handler: original))
                }
            }
        }
    }

    /// Whether the mapping of a removed entry held nothing else, and was added with it.
    private enum Remainder {
        case wasAdded, stays
    }

    private mutating func removeItems(
        named names: [String], of key: String, in spec: Cursor
    ) throws(SettingsFlaw) {
        guard let list = try spec.child(key), let items = list.node.items else { return }
        func isAdded(_ item: SourceNode) -> Bool { item.value("name")?.text.map(names.contains) ?? false }
        let added = items.filter(isAdded)
        guard let last = items.last, !added.isEmpty else { return }
        try list.requireEditable()
        let isAll = added.count == items.count
        if list.node.isFlow {
            if isAll, isTight(last), spec.node.isFlow, let key = list.key {
                entries.append(key.start..<list.node.end)
            } else {
                for run in items.split(whereSeparator: { !isAdded($0) }) {
                    entries.append(run[run.startIndex].start..<run[run.endIndex - 1].end)
                }
            }
        } else {
            let dash = source.dash(of: list.node)
            for item in added { try removeLines(dashLine(of: item, like: dash, list), through: item.end) }
            if isAll { _ = try removeKey(list) }
        }
    }

    private mutating func removeEntry(_ name: String, of mapping: Cursor) throws(SettingsFlaw) -> Remainder {
        guard let entry = try mapping.child(name), let key = entry.key else { return .stays }
        let isOnly = mapping.node.entries?.count == 1
        if mapping.node.isFlow {
            if isOnly, isTight(entry.node), mapping.parent?.isFlow == true { return .wasAdded }
            entries.append(key.start..<entry.node.end)
            return .stays
        }
        if entry.node.entries == nil {
            try removeLines(source.lineStart(key.start), through: entry.node.end)
        } else if entry.node.isFlow {
            // It stays as empty braces.
            return .stays
        } else {
            // Its own entries are gone already, and comments between them stay.
            if try removeKey(entry) == .uncovered { return .stays }
        }
        return isOnly ? .wasAdded : .stays
    }

    private enum Place {
        case empty, uncovered
    }

    /// Removes the line of a key of a block whose value is gone, and uncovers what the key replaced.
    private mutating func removeKey(_ value: Cursor) throws(SettingsFlaw) -> Place {
        guard let key = value.key, source.isFirstOnLine(key.start) else { throw Placement.refusal(value) }
        let start = source.lineStart(key.start)
        edits.append(.delete(start..<source.lineEnd(key.end)))
        guard start > 0 else { return .empty }
        var above = source.lineStart(start - 1)
        while source.bytes[above] == .space { above += 1 }
        // The key itself may have been in quotes.
        guard source.hasPrefix(Placement.coverMark, at: above),
            let name = key.text, source.text(source.lineStart(start - 1)..<start).contains(name)
        else { return .empty }
        edits.append(.delete(above..<above + Placement.coverMark.utf8.count))
        return .uncovered
    }

    private mutating func removeLines(_ start: Int, through end: Int) throws(SettingsFlaw) {
        edits.append(.delete(start..<source.lineEnd(after: end)))
    }

    /// Where the line of an item's dash begins.
    private func dashLine(of item: SourceNode, like dash: Int, _ list: Cursor) throws(SettingsFlaw) -> Int {
        let column = dash - source.lineStart(dash)
        var start = source.lineStart(item.start)
        // A shorter line has nothing there, and the place would be on a line behind it.
        while source.byte(start + column) != .dash || source.lineStart(start + column) != start
            || !source.isFirstOnLine(start + column)
        {
            guard start > source.lineStart(dash) else { throw Placement.refusal(list) }
            start = source.lineStart(start - 1)
        }
        return start
    }

    /// Neighbours are removed together: the last one's comma is the one in front of them all.
    private var entryEdits: [TextEdit] {
        var runs: [Range<Int>] = []
        for range in entries.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = runs.last, let comma = commaBefore(range.lowerBound), comma >= last.upperBound,
                isBlank(last.upperBound..<comma)
            {
                runs[runs.count - 1] = last.lowerBound..<range.upperBound
            } else {
                runs.append(range)
            }
        }
        return runs.map { .delete(withComma($0)) }
    }

    /// Entries of braces or brackets with their comma and one space.
    private func withComma(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        if source.byte(end) == .comma {
            end += 1
            if source.byte(end) == .space { end += 1 }
        } else if let comma = commaBefore(start) {
            start = comma
        } else if source.byte(end) == .space {
            end += 1
        }
        return start..<end
    }

    private func commaBefore(_ offset: Int) -> Int? {
        var index = offset - 1
        while index > 0, isBlank(index..<index + 1) { index -= 1 }
        return index >= 0 && source.bytes[index] == .comma ? index : nil
    }

    private func isBlank(_ range: Range<Int>) -> Bool {
        source.bytes[range].allSatisfy { [.space, .newline, .carriageReturn, UInt8(ascii: "\t")].contains($0) }
    }

    /// Whether the brace or bracket ends right behind the last value: so ends what was added whole.
    private func isTight(_ last: SourceNode) -> Bool {
        [UInt8(ascii: "}"), UInt8(ascii: "]")].contains(source.byte(last.end))
    }
}
