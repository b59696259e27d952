import Identity

/// Whatever is taken for a SPIFFE ID is one: its text is read back as the same, and its parts make it up.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSPIFFEIDs(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    if let id = try? SPIFFEID(parsing: bytes.span) {
        precondition(Array(id.description.utf8) == bytes)
        precondition((try? SPIFFEID(parsing: id.description)) == id)
        precondition(id.description == "spiffe://" + id.trustDomain.name + id.path)
        precondition(id.hasPath == !id.path.isEmpty)
        precondition((try? TrustDomain(parsing: id.trustDomain.name)) == id.trustDomain)
    }
    return 0
}
