@testable import Identity

/// DER of certificates, of subject alternative names alone, and of lists of revoked certificates.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCertificates(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    if let certificate = try? CertificateFields(parsing: bytes.span) {
        let leaf = try? certificate.leafIdentity()
        // Who may be a leaf claims just that, and may not sign.
        if let leaf {
            precondition((try? certificate.claimedIdentity()) == leaf && leaf.hasPath)
            precondition((try? certificate.checkSigning(of: leaf.trustDomain)) == nil)
        }
    }
    _ = try? AlternativeURIs(bytes.span, in: 0..<count)
    if let list = try? RevocationList(parsing: bytes), let serial = SerialNumber([1]) { _ = list.contains(serial) }
    if let parts = CertificateFields.split(bytes) { precondition(Array(parts.joined()) == bytes) }
    return 0
}
