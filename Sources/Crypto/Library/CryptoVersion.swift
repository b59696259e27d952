import COpenSSL

/// Which OpenSSL this process has loaded.
public enum CryptoVersion {
    /// Such as `OpenSSL 3.0.15 3 Sep 2024`.
    public static var text: String {
        // A C string that is part of the library.
        unsafe String(cString: OpenSSL_version(OPENSSL_VERSION))
    }
}
