import CLibURing

/// What the allocator holds.
public enum HeapMemory {
    /// Gives the system the pages of freed memory back, those between what is in use included; takes milliseconds.
    public static func giveBack() { _ = malloc_trim(0) }
}
