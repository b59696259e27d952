import Glibc

/// A to-be-signed certificate (RFC 5280, 4.1), as the bytes of its parts.
struct Certificate {
    var serialNumber: [UInt8]
    var issuerName: [UInt8]
    var subjectName: [UInt8]
    var validity: Validity
    var subjectPublicKeyInfo: [UInt8]
    var extensions: [[UInt8]]

    /// The signed certificate in DER.
    func signed(by key: KeyPair) throws(PKIFault) -> [UInt8] {
        let toBeSigned = DER.sequence(
            DER.explicit(0, DER.integer(2)),
            DER.integer(serialNumber),
            key.signatureAlgorithm,
            issuerName,
            DER.sequence(DER.time(unixSeconds: validity.notBefore), DER.time(unixSeconds: validity.notAfter)),
            subjectName,
            subjectPublicKeyInfo,
            extensions.isEmpty ? [] : DER.explicit(3, DER.element(0x30, extensions.flatMap(\.self)))
        )
        return try DER.sequence(toBeSigned, key.signatureAlgorithm, DER.bitString(key.sign(toBeSigned)))
    }

    /// A Name of one organisation and one common name.
    static func name(commonName: String) -> [UInt8] {
        func attribute(_ arc: UInt, _ text: String) -> [UInt8] {
            DER.set(DER.sequence(DER.objectIdentifier([2, 5, 4, arc]), DER.utf8String(text)))
        }
        return DER.sequence(attribute(10, "Postern development"), attribute(3, commonName))
    }

    /// 128 random bits, the highest one set so that every serial number has the same length.
    static func randomSerialNumber() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes[0] |= 0x40
        bytes[0] &= 0x7F
        return bytes
    }

    /// The extensions that these fields describe, in the order in which OpenSSL prints them.
    static func extensions(
        subjectAltNames: [SubjectAltName], subjectAltNameIsCritical: Bool = false,
        basicConstraints: BasicConstraints?, keyUsage: KeyUsage?, keyUsageIsCritical: Bool = true,
        extendedKeyUsage: [ExtendedKeyUsage]? = nil, nameConstraints: NameConstraints?,
        subjectKeyIdentifier: [UInt8], authorityKeyIdentifier: [UInt8], additional: [RawExtension]
    ) -> [[UInt8]] {
        var all: [RawExtension] = []
        func add(_ arc: UInt, critical: Bool, _ value: [UInt8]) {
            all.append(RawExtension(objectIdentifier: [2, 5, 29, arc], critical: critical, value: value))
        }
        if let keyUsage { add(15, critical: keyUsageIsCritical, keyUsage.der) }
        if let extendedKeyUsage {
            add(37, critical: false, DER.element(0x30, extendedKeyUsage.flatMap(\.der)))
        }
        if let basicConstraints { add(19, critical: true, basicConstraints.der) }
        add(14, critical: false, DER.octetString(subjectKeyIdentifier))
        add(35, critical: false, DER.sequence(DER.element(0x80, authorityKeyIdentifier)))
        if !subjectAltNames.isEmpty {
            add(17, critical: subjectAltNameIsCritical, DER.element(0x30, subjectAltNames.flatMap(\.der)))
        }
        if let nameConstraints { add(30, critical: true, nameConstraints.der) }
        return (all + additional).map(\.der)
    }
}
