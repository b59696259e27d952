import COpenSSL

/// The kind of a key pair. `rsa1024` is too weak on purpose: verifiers must refuse it.
public enum KeyKind: String, Sendable, CaseIterable {
    case p256, p384, p521, rsa2048, rsa1024, ed25519
}

/// A private key as PKCS#8 and its public half as SubjectPublicKeyInfo, both DER.
public struct KeyPair: Hashable, Sendable {
    public let kind: KeyKind
    public let pkcs8DER: [UInt8]
    public let subjectPublicKeyInfoDER: [UInt8]

    /// Makes a new key pair from OpenSSL's random generator.
    public static func generate(_ kind: KeyKind) throws(PKIFault) -> KeyPair {
        try KeyPair(kind: kind, handle: KeyHandle(generating: kind))
    }

    /// Reads an unencrypted private key in PEM: PKCS#8, SEC1 or PKCS#1.
    public init(pem: String) throws(PKIFault) {
        let handle = try KeyHandle(pem: pem)
        try self.init(kind: handle.kind(), handle: handle)
    }

    public var privateKeyPEM: String { PEM.encode("PRIVATE KEY", pkcs8DER) }

    /// The signature of `message`, with the hash that fits the key: SHA-256, SHA-384 for P-384, none for Ed25519.
    public func sign(_ message: [UInt8]) throws(PKIFault) -> [UInt8] {
        try KeyHandle(pkcs8DER: pkcs8DER).sign(message, kind: kind)
    }

    /// The AlgorithmIdentifier of this key's signatures (RFC 5758, RFC 4055, RFC 8410).
    var signatureAlgorithm: [UInt8] {
        switch kind {
        case .p256: DER.sequence(DER.objectIdentifier([1, 2, 840, 10045, 4, 3, 2]))
        case .p384: DER.sequence(DER.objectIdentifier([1, 2, 840, 10045, 4, 3, 3]))
        case .p521: DER.sequence(DER.objectIdentifier([1, 2, 840, 10045, 4, 3, 4]))
        case .rsa2048, .rsa1024:
            DER.sequence(DER.objectIdentifier([1, 2, 840, 113549, 1, 1, 11]), DER.element(0x05, []))
        case .ed25519: DER.sequence(DER.objectIdentifier([1, 3, 101, 112]))
        }
    }

    /// A key identifier: the first 160 bits of the public key's SHA-256 (RFC 7093, method 1, over the whole info).
    var identifier: [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let count = subjectPublicKeyInfoDER.count
        // Both arrays outlive the call, and SHA-256 writes exactly 32 bytes.
        unsafe digest.withUnsafeMutableBufferPointer { output in
            unsafe subjectPublicKeyInfoDER.withUnsafeBufferPointer { input in
                _ = unsafe SHA256(input.baseAddress, count, output.baseAddress)
            }
        }
        return Array(digest.prefix(20))
    }

    private init(kind: KeyKind, handle: borrowing KeyHandle) throws(PKIFault) {
        self.kind = kind
        pkcs8DER = try handle.pkcs8DER()
        subjectPublicKeyInfoDER = try handle.subjectPublicKeyInfoDER()
    }
}
