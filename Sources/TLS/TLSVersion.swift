/// A protocol version that Postern speaks; the raw value is what settings and logs show.
public enum TLSVersion: String, Hashable, Sendable, CaseIterable {
    case tls12 = "1.2"
    case tls13 = "1.3"
}
