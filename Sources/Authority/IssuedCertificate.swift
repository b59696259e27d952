import Crypto

/// A leaf with the intermediates that it presents, and its private key.
public struct IssuedCertificate: Hashable, Sendable {
    /// Leaf first, then intermediates, without the root.
    public let chainDER: [[UInt8]]
    public let key: KeyPair

    public var leafDER: [UInt8] { chainDER[0] }

    public var chainPEM: String { chainDER.map { PEMBlock.encode("CERTIFICATE", $0) }.joined() }

    /// PKCS#8, unencrypted.
    public var privateKeyPEM: String { key.privateKeyPEM }

    /// Writes both files, replacing them: the key is readable by its owner alone.
    public func write(certificate: String, privateKey: String) throws(PKIFault) {
        try writeFile(privateKeyPEM, path: privateKey, mode: 0o600)
        try writeFile(chainPEM, path: certificate, mode: 0o644)
    }
}
