/// The received part of an incomplete record.
@safe
struct PartialRecord: ~Copyable {
    private let block: UnsafeMutableRawPointer
    private var count: Int
    private let blocks: RecordBlocks

    /// Copies `bytes`, which are fewer than a record's.
    init(_ bytes: UnsafeRawBufferPointer, _ blocks: RecordBlocks) {
        precondition(bytes.count < RecordBlocks.blockBytes)
        // Safe: the block is this value's until deinit, and has room for a whole record.
        unsafe block = blocks.take()
        unsafe block.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        count = bytes.count
        self.blocks = blocks
    }

    /// Moves what belongs to this record from the front of `input` to here; true if the record is whole.
    mutating func complete(from input: inout UnsafeRawBufferPointer) throws(RecordFlaw) -> Bool {
        // Safe: nothing passes the end of the header, and then that of the record, which a block holds.
        guard unsafe fill(to: RecordFormat.headerBytes, &input) else { return false }
        return unsafe fill(to: try RecordHeader(parsing: bytes).recordBytes, &input)
    }

    /// Valid for as long as this value.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: block, count: count) }

    private mutating func fill(to total: Int, _ input: inout UnsafeRawBufferPointer) -> Bool {
        let taken = min(max(0, total - count), input.count)
        if taken > 0 {
            unsafe (block + count).copyMemory(from: input.baseAddress!, byteCount: taken)
            unsafe input = UnsafeRawBufferPointer(rebasing: input[taken...])
            count += taken
        }
        return count >= total
    }

    deinit {
        unsafe blocks.giveBack(block)
    }
}

/// Blocks for partial records, lent while a record is partial: a worker's sessions share them, last in, first out.
@safe
final class RecordBlocks {
    private var free: [UnsafeMutableRawPointer] = unsafe []

    init() { unsafe free.reserveCapacity(Self.keptBlocks) }

    /// A block of `blockBytes`, to be given back.
    func take() -> UnsafeMutableRawPointer {
        unsafe free.popLast() ?? .allocate(byteCount: Self.blockBytes, alignment: 16)
    }

    func giveBack(_ block: UnsafeMutableRawPointer) {
        // Safe: the block came from `take`, and its borrower has let go of it.
        if unsafe free.count < Self.keptBlocks { unsafe free.append(block) } else { unsafe block.deallocate() }
    }

    deinit {
        while let block = unsafe free.popLast() { unsafe block.deallocate() }
    }

    static let blockBytes = RecordFormat.headerBytes + RecordFormat.maximumBodyBytes
    private static let keptBlocks = 8
}
