import COpenSSL

/// The critical extensions that are processed here or in OpenSSL's path building.
///
/// OpenSSL also passes policy constraints, CRL distribution points and address blocks without processing them as we
/// call it; RFC 5280, section 4.2, asks to refuse what is critical and not processed.
enum CriticalExtensions {
    /// Whether nothing critical in `certificate` goes unprocessed.
    static func allProcessed(in certificate: OpaquePointer) -> Bool {
        // Safe: positions come from OpenSSL, so each has an extension, borrowed from the certificate.
        var position = unsafe X509_get_ext_by_critical(certificate, 1, -1)
        while position >= 0 {
            let identifier = unsafe OBJ_obj2nid(X509_EXTENSION_get_object(X509_get_ext(certificate, position)))
            guard processed.contains(identifier) else { return false }
            position = unsafe X509_get_ext_by_critical(certificate, 1, position)
        }
        return true
    }

    private static let processed = [
        NID_basic_constraints, NID_key_usage, NID_ext_key_usage, NID_subject_alt_name, NID_name_constraints,
        NID_certificate_policies,
    ]
}
