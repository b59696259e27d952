import Settings

/// Settings files: sound ones have no error, flawed ones have at least one, each with a place.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSettings(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    let outcome = Settings.parse(text: bytes, file: "fuzz.yaml", endpointSocket: "unix:/agent.sock")
    let errors = outcome.flaws.filter { $0.severity == .error }
    precondition((outcome.settings == nil) == !errors.isEmpty)
    precondition(outcome.flaws.allSatisfy { $0.position.line >= 1 && $0.position.column >= 1 && !$0.message.isEmpty })
    return 0
}
