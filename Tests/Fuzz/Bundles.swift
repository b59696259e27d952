import Federation

/// SPIFFE bundle documents.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBundles(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    if let document = try? BundleDocument(parsing: bytes) {
        var polling = BundlePolling(now: 0, staleAfterSeconds: 100)
        _ = polling.answered(document, now: 1, chance: 0.5)
        precondition(polling.dueAt > 1)
    }
    return 0
}
