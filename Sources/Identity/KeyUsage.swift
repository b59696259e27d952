/// The bits of the KeyUsage extension (RFC 5280 4.2.1.3) that X509-SVID 4.3 constrains.
struct KeyUsage {
    let digitalSignature: Bool
    let keyCertSign: Bool
    let cRLSign: Bool

    /// Takes the bits of the extension's BIT STRING, digitalSignature (0) lowest.
    init(bits: UInt16) {
        digitalSignature = bits & 1 << 0 != 0
        keyCertSign = bits & 1 << 5 != 0
        cRLSign = bits & 1 << 6 != 0
    }
}
