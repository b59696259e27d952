import COpenSSL

/// The library context of all TLS contexts: the algorithms of the module in use, without those that handshakes do not
/// need.
///
/// For each received certificate, OpenSSL 3 searches every algorithm it knows for a decoder of the public key. In
/// OpenSSL's default context that search takes two fifths of a handshake; here it is short.
///
/// Sendable by hand: OpenSSL guards a library context with its own locks. Created once and never freed, so it outlives
/// every object created in it.
@safe
package struct CryptoLibrary: @unchecked Sendable {
    package let pointer: OpaquePointer

    package static func shared() throws(CryptoFault) -> CryptoLibrary { try made.get() }

    private static let made = Result { () throws(CryptoFault) in try CryptoLibrary() }

    private init() throws(CryptoFault) {
        // Threads may be inside OpenSSL when the process exits, and its exit handler would free what they use.
        OPENSSL_init_crypto(postern_init_no_atexit, nil)
        ErrorQueue.clear()
        guard let library = unsafe OSSL_LIB_CTX_new() else { throw .outOfMemory }
        // Safe: the names are static, and so are the functions.
        var isLoaded = unsafe OSSL_PROVIDER_add_builtin(library, "postern", startLeanProvider) == 1
        isLoaded = unsafe isLoaded && OSSL_PROVIDER_load(library, "postern") != nil
        if LeanProvider.hasCodecs {
            isLoaded = unsafe isLoaded && OSSL_PROVIDER_add_builtin(library, "postern-codecs", startLeanCodecs) == 1
            isLoaded = unsafe isLoaded && OSSL_PROVIDER_load(library, "postern-codecs") != nil
        }
        guard isLoaded else {
            unsafe OSSL_LIB_CTX_free(library)
            throw ErrorQueue.fault("OSSL_PROVIDER_load")
        }
        unsafe pointer = library
    }
}
