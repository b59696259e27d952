import Resolution

/// DNS responses with SRV records.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzServiceAnswers(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    guard let answer = try? ServiceAnswer(parsing: bytes) else { return 0 }
    precondition(answer.records.count <= ServiceAnswer.recordsAtMost)
    precondition((0...Int(Int32.max)).contains(answer.ttlSeconds))
    // A name has at most 253 bytes, and each that is no UTF-8 becomes a character of three.
    precondition(answer.records.allSatisfy { $0.target.utf8.count <= 3 * 253 })
    // What follows the answers does not count.
    precondition((try? ServiceAnswer(parsing: bytes + [0xC0])) == answer)
    return 0
}
