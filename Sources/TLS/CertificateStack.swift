import COpenSSL

/// OpenSSL's list of parsed certificates; this value is its only owner.
@safe
struct CertificateStack: ~Copyable {
    let pointer: OpaquePointer

    /// Parses each certificate of `ders`, in order.
    init(_ ders: [[UInt8]]) throws(TLSFault) {
        ErrorQueue.clear()
        let library = try CryptoLibrary.shared()
        guard let stack = unsafe postern_certs_new() else { throw .outOfMemory }
        for der in ders {
            guard let certificate = unsafe Self.parse(der, library) else {
                unsafe postern_certs_free(stack)
                throw ErrorQueue.fault("d2i_X509")
            }
            guard unsafe postern_certs_push(stack, certificate) > 0 else {
                unsafe X509_free(certificate)
                unsafe postern_certs_free(stack)
                throw .outOfMemory
            }
        }
        unsafe pointer = stack
    }

    var count: Int { unsafe Int(postern_certs_count(pointer)) }

    /// The certificate at `index`, borrowed from the stack.
    func certificate(at index: Int) -> OpaquePointer {
        // Safe: the caller keeps within `count`, and OpenSSL's stack has no holes.
        precondition(index >= 0 && index < count)
        return unsafe postern_certs_at(pointer, Int32(index))
    }

    deinit {
        // Safe: the stack holds one reference to each certificate and this value is its owner.
        unsafe postern_certs_free(pointer)
    }

    private static func parse(_ der: [UInt8], _ library: CryptoLibrary) -> OpaquePointer? {
        // Safe: d2i_X509 reads at most `count` bytes; the array lives through the closure. When it fails it clears
        // what it has freed.
        unsafe der.withUnsafeBufferPointer { bytes in
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
    }
}
