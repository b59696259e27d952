@testable import WorkloadAPI

/// What a Workload API may send: messages, gRPC's framing in pieces, and the whole HTTP/2 connection.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWorkloadAPI(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = bytes.first else { return 0 }
    let rest = Array(bytes.dropFirst())
    if let message = try? X509SVIDMessage(parsing: rest) { precondition(message.svid(hint: nil) != nil) }
    _ = try? X509BundlesMessage(parsing: rest)

    let cut = rest.count * Int(first) / 256
    var whole = GRPCMessages()
    var pieces = GRPCMessages()
    let atOnce = try? whole.take(rest)
    let inPieces = try? pieces.take(rest[..<cut]) + pieces.take(rest[cut...])
    precondition(atOnce == inPieces)

    if let connection = try? WorkloadConnection() {
        _ = connection.takeOutput()
        for piece in [rest[..<cut], rest[cut...]] where !piece.isEmpty {
            _ = connection.receive(Array(piece))
            _ = connection.takeOutput()
        }
    }
    return 0
}
