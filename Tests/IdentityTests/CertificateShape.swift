import Identity

/// A certificate to be encoded, each part open to a test that wants it odd. Nothing is signed.
struct CertificateShape {
    var version: [UInt8] = DER.element(0xA0, DER.integer(2))
    var serialNumber: [UInt8] = DER.integer(0x01, 0x02)
    var validity: [UInt8] = DER.sequence(DER.utcTime("240101000000Z"), DER.utcTime("250101000000Z"))
    var uniqueIDs: [UInt8] = []
    var extensions: [[UInt8]] = []
    var trailer: [UInt8] = []

    /// A leaf that satisfies every rule.
    static func leaf(_ names: [[UInt8]] = [DER.uri("spiffe://example.org/ns/default/sa/a")]) -> CertificateShape {
        CertificateShape(extensions: [keyUsage(.digitalSignature), alternativeNames(names)])
    }

    /// A signing certificate that satisfies every rule.
    static func signer(_ names: [[UInt8]] = []) -> CertificateShape {
        let extensions = [basicConstraints(isCA: true), keyUsage(.keyCertSign, .cRLSign)]
        return CertificateShape(extensions: names.isEmpty ? extensions : extensions + [alternativeNames(names)])
    }

    var der: [UInt8] {
        let algorithm = DER.sequence(DER.element(0x06, [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]))
        let name = DER.sequence()
        let key = DER.sequence(algorithm, DER.bitString(unusedBits: 0, [4, 1, 2, 3]))
        let extensions =
            extensions.isEmpty ? [] : DER.element(0xA3, DER.sequence(of: extensions))
        let signedPart = DER.sequence(
            version, serialNumber, algorithm, name, validity, name, key, uniqueIDs, extensions, trailer)
        return DER.sequence(signedPart, algorithm, DER.bitString(unusedBits: 0, [0x30, 0x00]))
    }

    /// The bits of KeyUsage, by their numbers.
    enum Usage: Int {
        case digitalSignature = 0, keyEncipherment = 2, keyCertSign = 5, cRLSign = 6, decipherOnly = 8
    }

    static func keyUsage(_ usages: Usage...) -> [UInt8] {
        var octets: [UInt8] = [0, 0]
        for usage in usages { octets[usage.rawValue / 8] |= 0x80 >> UInt8(usage.rawValue % 8) }
        if octets[1] == 0 { octets.removeLast() }
        let unusedBits = octets.last.map { $0 == 0 ? 0 : UInt8($0.trailingZeroBitCount) } ?? 0
        return DER.extension([0x55, 0x1D, 0x0F], critical: true, DER.bitString(unusedBits: unusedBits, octets))
    }

    static func basicConstraints(isCA: Bool) -> [UInt8] {
        DER.extension([0x55, 0x1D, 0x13], critical: true, DER.sequence(isCA ? DER.boolean(true) : []))
    }

    static func alternativeNames(_ names: [[UInt8]]) -> [UInt8] {
        DER.extension([0x55, 0x1D, 0x11], DER.sequence(of: names))
    }

    /// An ExtendedKeyUsage of id-kp purposes: 1 is serverAuth, 2 clientAuth.
    static func extendedKeyUsage(_ purposes: UInt8...) -> [UInt8] {
        DER.extension(
            [0x55, 0x1D, 0x25],
            DER.sequence(of: purposes.map { DER.element(0x06, [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, $0]) }))
    }
}

extension CertificateFields {
    /// Reads one certificate from an array.
    init(_ der: [UInt8]) throws(SVIDRefusal) {
        try self.init(parsing: der.span)
    }
}
