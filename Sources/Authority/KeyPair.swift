import Crypto

/// The kind of a key pair. `rsa1024` is too weak on purpose: verifiers must refuse it.
public enum KeyKind: String, Sendable, CaseIterable {
    case p256, p384, p521, rsa2048, rsa1024, ed25519

    var algorithm: KeyAlgorithm {
        switch self {
        case .p256: .ec(.p256)
        case .p384: .ec(.p384)
        case .p521: .ec(.p521)
        case .rsa2048: .rsa(bits: 2048)
        case .rsa1024: .rsa(bits: 1024)
        case .ed25519: .ed25519
        }
    }

    init?(_ algorithm: KeyAlgorithm?) {
        switch algorithm {
        case .ec(.p256): self = .p256
        case .ec(.p384): self = .p384
        case .ec(.p521): self = .p521
        case .rsa(let bits): self = bits >= 2048 ? .rsa2048 : .rsa1024
        case .ed25519: self = .ed25519
        case nil: return nil
        }
    }
}

/// A private key as PKCS#8 and its public half as SubjectPublicKeyInfo, both DER.
public struct KeyPair: Hashable, Sendable {
    public let kind: KeyKind
    public let pkcs8DER: [UInt8]
    public let subjectPublicKeyInfoDER: [UInt8]

    /// Makes a new key pair from OpenSSL's random generator.
    public static func generate(_ kind: KeyKind) throws(PKIFault) -> KeyPair {
        try PKIFault.translating { () throws(CryptoFault) in
            try KeyPair(kind: kind, PrivateKey(generating: kind.algorithm))
        }
    }

    /// Reads an unencrypted private key in PEM: PKCS#8, SEC1 or PKCS#1.
    public init(pem: String) throws(PKIFault) {
        self = try PKIFault.translating { () throws(CryptoFault) in
            let key = try PrivateKey(pem: pem)
            guard let kind = KeyKind(key.algorithm) else {
                throw .notPEM(expected: "a private key of P-256, P-384, P-521, RSA or Ed25519")
            }
            return try KeyPair(kind: kind, key)
        }
    }

    public var privateKeyPEM: String { PEMBlock.encode("PRIVATE KEY", pkcs8DER) }

    /// The signature of `message`, with the hash that fits the key: SHA-256, SHA-384 for P-384, SHA-512 for P-521, none
    /// for Ed25519.
    public func sign(_ message: [UInt8]) throws(PKIFault) -> [UInt8] {
        try PKIFault.translating { () throws(CryptoFault) in try PrivateKey(parsing: pkcs8DER).sign(message) }
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
        guard let digest = Digest256(sha256: subjectPublicKeyInfoDER) else {
            preconditionFailure("SHA-256 is a part of every libcrypto")
        }
        return Array(digest.bytes.prefix(20))
    }

    private init(kind: KeyKind, _ key: borrowing PrivateKey) throws(CryptoFault) {
        self.kind = kind
        pkcs8DER = try key.pkcs8DER()
        subjectPublicKeyInfoDER = try key.publicKeyDER()
    }
}
