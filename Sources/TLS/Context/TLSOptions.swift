/// The choices of the `tls` settings.
public struct TLSOptions: Hashable, Sendable {
    public var minVersion: TLSVersion
    public var resumption: Bool
    /// In order of preference; those that OpenSSL lacks are passed over.
    public var keyExchange: [KeyExchangeGroup]

    public init(
        minVersion: TLSVersion = .tls13, resumption: Bool = false,
        keyExchange: [KeyExchangeGroup] = KeyExchangeGroup.preferred
    ) {
        self.minVersion = minVersion
        self.resumption = resumption
        self.keyExchange = keyExchange
    }
}

/// A protocol version that Postern speaks; the raw value is what settings and logs show.
public enum TLSVersion: String, Hashable, Sendable, CaseIterable {
    case tls12 = "1.2"
    case tls13 = "1.3"
}
