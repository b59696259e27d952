/// The choices of the `tls` settings.
public struct TLSOptions: Hashable, Sendable {
    public var minVersion: TLSVersion
    public var resumption: Bool

    public init(minVersion: TLSVersion = .tls13, resumption: Bool = false) {
        self.minVersion = minVersion
        self.resumption = resumption
    }
}

/// A protocol version that Postern speaks; the raw value is what settings and logs show.
public enum TLSVersion: String, Hashable, Sendable, CaseIterable {
    case tls12 = "1.2"
    case tls13 = "1.3"
}
