import COpenSSL

/// The library context of all TLS contexts: the default provider's algorithms, less those that handshakes do without.
///
/// For each certificate that comes in, OpenSSL 3 looks through every algorithm it knows, to find who can read the
/// public key. In OpenSSL's own context that is two fifths of a handshake; here there is little to look through.
///
/// Sendable by hand: OpenSSL guards a library context with its own locks. Made once and never freed, so that whatever
/// was made in it may live as long as it likes.
@safe
package struct CryptoLibrary: @unchecked Sendable {
    package let pointer: OpaquePointer

    package static func shared() throws(CryptoFault) -> CryptoLibrary { try made.get() }

    private static let made = Result { () throws(CryptoFault) in try CryptoLibrary() }

    private init() throws(CryptoFault) {
        // Threads may be in OpenSSL when the process ends, and its handler for that end would free what they use.
        OPENSSL_init_crypto(postern_init_no_atexit, nil)
        ErrorQueue.clear()
        guard let library = unsafe OSSL_LIB_CTX_new() else { throw .outOfMemory }
        // Safe: the name is static, and so is the function.
        guard unsafe OSSL_PROVIDER_add_builtin(library, Self.providerName, startLeanProvider) == 1,
            unsafe OSSL_PROVIDER_load(library, Self.providerName) != nil
        else {
            unsafe OSSL_LIB_CTX_free(library)
            throw ErrorQueue.fault("OSSL_PROVIDER_load")
        }
        unsafe pointer = library
    }

    private static let providerName = "postern"
}
