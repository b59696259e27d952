import COpenSSL

/// One parsed certificate; this object owns one reference to it.
///
/// Sendable by hand: nothing changes a certificate once it is parsed, and OpenSSL counts its references atomically.
@safe
public final class Certificate: @unchecked Sendable {
    package let pointer: OpaquePointer

    /// Parses `der`, which must be exactly one certificate (RFC 5280, section 4.1).
    public init(parsing der: [UInt8]) throws(CryptoFault) {
        ErrorQueue.clear()
        let library = try CryptoLibrary.shared()
        // Safe: d2i_X509 reads at most `count` bytes; the array lives through the closure. When it fails it clears
        // what it has freed.
        let parsed = unsafe der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var cursor = bytes.baseAddress
            var certificate = unsafe X509_new_ex(library.pointer, nil)
            guard unsafe certificate != nil, unsafe d2i_X509(&certificate, &cursor, bytes.count) != nil,
                unsafe cursor == bytes.baseAddress.map({ unsafe $0 + bytes.count })
            else {
                unsafe X509_free(certificate)
                return nil
            }
            return unsafe certificate
        }
        guard let parsed = unsafe parsed else { throw ErrorQueue.fault("d2i_X509") }
        unsafe pointer = parsed
    }

    /// Takes a reference of its own to an `X509` that is alive for the length of the call.
    package init(retaining certificate: OpaquePointer) {
        // Safe: the certificate is alive; counting up fails only for a broken object.
        unsafe X509_up_ref(certificate)
        unsafe pointer = certificate
    }

    /// Whether both are the same certificate, byte for byte.
    public func isSame(as other: Certificate) -> Bool {
        // Safe: both are alive.
        unsafe pointer == other.pointer || X509_cmp(pointer, other.pointer) == 0
    }

    /// The DER as it was received; empty if OpenSSL cannot produce it.
    public var der: [UInt8] {
        // Safe, here and below: the certificate is alive, and the calls only read it.
        unsafe encoded { unsafe i2d_X509(pointer, $0) } ?? []
    }

    /// The DER of the subject's name.
    public var subjectDER: [UInt8] {
        unsafe encoded { unsafe i2d_X509_NAME(X509_get_subject_name(pointer), $0) } ?? []
    }

    /// The DER of the subject's public key (SubjectPublicKeyInfo).
    public var publicKeyDER: [UInt8] {
        unsafe encoded { unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), $0) } ?? []
    }

    /// Whether it is a certificate for a host, as HTTPS clients decide: by its alternative names alone (RFC 9525).
    public func covers(host: String) -> Bool {
        let flags = UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
        // Safe: the string is as long as is said, and nobody asks for the name that matched.
        let covers = unsafe X509_check_host(pointer, host, host.utf8.count, flags, nil) == 1
        ErrorQueue.clear()
        return covers
    }

    /// The common name of the subject, by which Kubernetes names its clients; nil without exactly one.
    public var commonName: String? {
        guard let name = unsafe X509_get_subject_name(pointer) else { return nil }
        let index = unsafe X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        guard index >= 0, unsafe X509_NAME_get_index_by_NID(name, NID_commonName, index) < 0 else { return nil }
        // Safe: the entry and its text belong to the certificate.
        guard let entry = unsafe X509_NAME_get_entry(name, index), let text = unsafe X509_NAME_ENTRY_get_data(entry)
        else { return nil }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&bytes, text)
        guard count >= 0, let bytes = unsafe bytes else { return nil }
        defer { unsafe CRYPTO_free(bytes, nil, 0) }
        return unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    public var constrainsNames: Bool { unsafe X509_get_ext_by_NID(pointer, NID_name_constraints, -1) >= 0 }

    /// Whether every critical extension is processed, here or in OpenSSL's path building (RFC 5280, section 4.2).
    ///
    /// OpenSSL also passes policy constraints, CRL distribution points and address blocks without processing them as
    /// we call it.
    public var criticalExtensionsAreProcessed: Bool {
        var position = unsafe X509_get_ext_by_critical(pointer, 1, -1)
        while position >= 0 {
            // Safe: positions come from OpenSSL, so each has an extension, borrowed from the certificate.
            let identifier = unsafe OBJ_obj2nid(X509_EXTENSION_get_object(X509_get_ext(pointer, position)))
            guard Self.processedExtensions.contains(identifier) else { return false }
            position = unsafe X509_get_ext_by_critical(pointer, 1, position)
        }
        return true
    }

    /// Whether a CRL is signed by this certificate's key (RFC 5280, section 5.1).
    public func hasSigned(revocationList der: [UInt8]) -> Bool {
        guard let library = try? CryptoLibrary.shared() else { return false }
        defer { ErrorQueue.clear() }
        // Safe: d2i reads within the array, and what it made is freed once.
        return unsafe der.withUnsafeBufferPointer { bytes in
            var cursor = bytes.baseAddress
            var parsed = unsafe X509_CRL_new_ex(library.pointer, nil)
            guard unsafe parsed != nil, unsafe d2i_X509_CRL(&parsed, &cursor, bytes.count) != nil else {
                unsafe X509_CRL_free(parsed)
                return false
            }
            defer { unsafe X509_CRL_free(parsed) }
            return unsafe X509_CRL_verify(parsed, X509_get0_pubkey(pointer)) == 1
        }
    }

    deinit {
        // Safe: the reference is this object's own.
        unsafe X509_free(pointer)
    }

    private static let processedExtensions = [
        NID_basic_constraints, NID_key_usage, NID_ext_key_usage, NID_subject_alt_name, NID_name_constraints,
        NID_certificate_policies,
    ]
}
