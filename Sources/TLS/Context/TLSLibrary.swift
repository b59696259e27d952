import Crypto

/// The OpenSSL that this process has loaded, for people.
public enum TLSLibrary {
    /// Such as `OpenSSL 3.0.15 3 Sep 2024`, and the FIPS provider if that is in use.
    public static var version: String {
        [CryptoVersion.text, CryptoModule.version].compactMap(\.self).joined(separator: ", ")
    }

    /// The names of the key exchange groups that it has, as settings write them.
    public static var keyExchange: String { names(KeyExchangeGroup.available) }

    /// Of the groups of `options`, the names of those that it has, in their order.
    public static func keyExchange(of options: TLSOptions) -> String {
        names(options.keyExchange.filter(KeyExchangeGroup.available.contains))
    }

    private static func names(_ groups: [KeyExchangeGroup]) -> String {
        groups.map(\.rawValue).joined(separator: ", ")
    }
}
