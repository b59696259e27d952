import ProxyProtocol

/// PROXY protocol headers of load balancers.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxyHeaders(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    let outcome = ProxyHeaderReader.read(bytes)
    switch outcome {
    case .complete(let count, _):
        precondition(count <= min(bytes.count, ProxyHeaderReader.bytesAtMost))
        // What follows a header is not part of it, and no beginning of it is a whole one.
        precondition(ProxyHeaderReader.read(bytes + [0x16]) == outcome)
        precondition(ProxyHeaderReader.read(Array(bytes[..<(count - 1)])) == .incomplete)
    case .incomplete: precondition(bytes.count < ProxyHeaderReader.bytesAtMost)
    case .malformed: precondition(ProxyHeaderReader.read(bytes + [0x16]) == .malformed)
    }
    return 0
}
