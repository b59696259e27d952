/// The default of `limits.memory`: how much memory may grow with the number of peers.
public enum MemoryQuota {
    /// In bytes: 256 MiB, or half of the cgroup's memory limit if that is less. The other half is for the program
    /// itself and for kernel socket buffers, which are charged to the same cgroup.
    public static func defaultBytes() -> Int {
        defaultBytes(
            unified: ControlGroup.unified("memory.max"),
            legacy: ControlGroup.legacyLimits("memory", "memory.limit_in_bytes"))
    }

    static func defaultBytes(unified: [String], legacy: [String]) -> Int {
        let limits = (unified + legacy).compactMap(limit)
        return max(min(limits.min().map { $0 / 2 } ?? withoutLimit, withoutLimit), least)
    }

    /// How many workers the memory can give their minimum.
    static func workers(bytes: Int) -> Int { max(bytes / least, 1) }

    /// Bytes of a `memory.max` or `memory.limit_in_bytes`; nil if it is unlimited (`max`, or a number near 2^63).
    static func limit(_ text: String) -> Int? {
        guard let bytes = UInt64(text.prefix { !$0.isWhitespace }), bytes < 1 << 60 else { return nil }
        return Int(bytes)
    }

    private static let withoutLimit = 256 << 20
    private static let least = 8 << 20
}
