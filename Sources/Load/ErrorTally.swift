/// Errors by kind, each with the detail of the first one.
public struct ErrorTally: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        /// A stable word: `connect-refused`, `reset`, `timeout`, or the code of a TLS failure.
        public let kind: String
        public internal(set) var count: UInt64
        /// Text for a person, from the first error of the kind.
        public let detail: String
    }

    /// In order of first occurrence.
    public private(set) var entries: [Entry] = []

    public var total: UInt64 { entries.reduce(0) { $0 + $1.count } }

    mutating func note(_ kind: String, _ detail: @autoclosure () -> String, count: UInt64 = 1) {
        guard count > 0 else { return }
        if let index = entries.firstIndex(where: { $0.kind == kind }) {
            entries[index].count += count
        } else {
            entries.append(Entry(kind: kind, count: count, detail: detail()))
        }
    }
}
