import COpenSSL

/// A certificate's fields as text for people; unprintable characters are escaped.
extension Certificate {
    /// The issuer's name, its parts separated by slashes; at most 255 bytes.
    public var issuerText: String? {
        guard let name = unsafe X509_get_issuer_name(pointer) else { return nil }
        // Safe: the call writes a C string of at most so many bytes, with its end.
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.issuerLimitBytes) { buffer in
            guard unsafe X509_NAME_oneline(name, buffer.baseAddress, Int32(buffer.count)) != nil else { return nil }
            let text = unsafe String(cString: buffer.baseAddress!)
            return text.isEmpty ? nil : text
        }
    }

    /// All alternative names as OpenSSL prints them: `DNS:a.example, URI:spiffe://...`; at most 512 bytes.
    public var alternativeNamesText: String? {
        let index = unsafe X509_get_ext_by_NID(pointer, NID_subject_alt_name, -1)
        guard index >= 0, let field = unsafe X509_get_ext(pointer, index), let output = unsafe BIO_new(BIO_s_mem())
        else { return nil }
        // Safe: the BIO is freed here, after its bytes were copied.
        defer { unsafe _ = BIO_free(output) }
        guard unsafe X509V3_EXT_print(output, field, 0, 0) == 1 else { return nil }
        let text = unsafe [UInt8](unsafeUninitializedCapacity: Self.namesLimitBytes) { buffer, count in
            count = unsafe Int(max(0, BIO_read(output, buffer.baseAddress, Int32(buffer.count))))
        }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    private static let namesLimitBytes = 512
    private static let issuerLimitBytes = 256
}
