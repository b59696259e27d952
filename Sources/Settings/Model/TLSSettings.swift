/// TLS options, for both sides.
public struct TLSSettings: Hashable, Sendable {
    public enum MinimumVersion: String, Hashable, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// A key exchange group, by its name in the TLS registry, or NIST's for a curve.
    public enum KeyExchange: String, Hashable, Sendable, CaseIterable {
        case x25519MLKEM768 = "X25519MLKEM768"
        case secP256r1MLKEM768 = "SecP256r1MLKEM768"
        case secP384r1MLKEM1024 = "SecP384r1MLKEM1024"
        case x25519 = "X25519"
        case p256 = "P-256"
        case p384 = "P-384"
        case p521 = "P-521"
    }

    public var minVersion = MinimumVersion.tls13
    /// In order of preference; nil: the default, as far as OpenSSL has its groups.
    public var keyExchange: [KeyExchange]?
    public var resumption = true
    /// All cryptography comes from OpenSSL's FIPS provider.
    public var fips = false

    public init() {}

    public init(minVersion: MinimumVersion, resumption: Bool) {
        self.minVersion = minVersion
        self.resumption = resumption
    }
}
