/// How much memory may grow with the number of peers, where the settings do not say.
public enum MemoryQuota {
    /// In bytes: 256 MiB, or half of what the process's control group may have where that is less. The other half is
    /// for the program itself, and for what the kernel keeps of its sockets, which counts in the same group.
    public static func defaultBytes() -> Int {
        defaultBytes(
            unified: ControlGroup.unified("memory.max"),
            legacy: ControlGroup.legacyLimits("memory", "memory.limit_in_bytes"))
    }

    static func defaultBytes(unified: [String], legacy: [String]) -> Int {
        let limits = (unified + legacy).compactMap(limit)
        return max(min(limits.min().map { $0 / 2 } ?? withoutLimit, withoutLimit), least)
    }

    /// How many workers can have the least that a worker needs.
    static func workers(bytes: Int) -> Int { max(bytes / least, 1) }

    /// Bytes of a `memory.max` or `memory.limit_in_bytes`; nil where it does not limit (`max`, or a number near 2^63).
    static func limit(_ text: String) -> Int? {
        guard let bytes = UInt64(text.prefix { !$0.isWhitespace }), bytes < 1 << 60 else { return nil }
        return Int(bytes)
    }

    private static let withoutLimit = 256 << 20
    private static let least = 8 << 20
}
