import COpenSSL

/// The version of the OpenSSL library that this process runs with: "OpenSSL 3.0.22 25 Aug 2026".
public var linkedOpenSSLVersion: String {
    // Safe: a constant of the library that ends with a zero.
    unsafe String(cString: OpenSSL_version(OPENSSL_VERSION))
}
