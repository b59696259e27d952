/// TLS options, for both sides.
public struct TLSSettings: Hashable, Sendable {
    public enum MinimumVersion: String, Hashable, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    public var minVersion = MinimumVersion.tls13
    public var resumption = true

    public init() {}

    public init(minVersion: MinimumVersion, resumption: Bool) {
        self.minVersion = minVersion
        self.resumption = resumption
    }
}
