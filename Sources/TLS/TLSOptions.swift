/// The choices of the `tls` settings.
public struct TLSOptions: Hashable, Sendable {
    public var minVersion: TLSVersion
    public var resumption: Bool

    public init(minVersion: TLSVersion = .tls13, resumption: Bool = false) {
        self.minVersion = minVersion
        self.resumption = resumption
    }
}
