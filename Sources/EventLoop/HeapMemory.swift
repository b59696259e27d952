import CLibURing

/// The allocator's memory.
public enum HeapMemory {
    /// Returns the pages of freed memory to the system, including those between blocks in use; takes milliseconds.
    public static func giveBack() { _ = malloc_trim(0) }
}
