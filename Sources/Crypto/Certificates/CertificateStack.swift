import COpenSSL

/// OpenSSL's list of parsed certificates; this object owns one reference to each.
///
/// Sendable by hand: nothing changes the list once it is made, nor the certificates in it.
@safe
public final class CertificateStack: @unchecked Sendable {
    package let pointer: OpaquePointer

    /// A list of `certificates`, in their order.
    public init(_ certificates: [Certificate]) throws(CryptoFault) {
        guard let stack = unsafe postern_certs_new() else { throw .outOfMemory }
        for certificate in certificates {
            // Safe: the stack takes over the reference that is counted up for it.
            unsafe X509_up_ref(certificate.pointer)
            guard unsafe postern_certs_push(stack, certificate.pointer) > 0 else {
                unsafe X509_free(certificate.pointer)
                unsafe postern_certs_free(stack)
                throw .outOfMemory
            }
        }
        unsafe pointer = stack
    }

    /// Parses each certificate of `ders`, in order.
    public convenience init(parsing ders: [[UInt8]]) throws(CryptoFault) {
        var certificates: [Certificate] = []
        for der in ders { certificates.append(try Certificate(parsing: der)) }
        try self.init(certificates)
    }

    /// A list of the same certificates as a `STACK_OF(X509)` that is alive for the length of the call; nil is empty.
    package init(retaining stack: OpaquePointer?) throws(CryptoFault) {
        // Safe: the copy has references of its own.
        let copy = unsafe stack.map { unsafe X509_chain_up_ref($0) } ?? postern_certs_new()
        guard let copy = unsafe copy else { throw .outOfMemory }
        unsafe pointer = copy
    }

    public var count: Int { unsafe Int(postern_certs_count(pointer)) }

    public subscript(index: Int) -> Certificate {
        precondition(index >= 0 && index < count)
        // Safe: OpenSSL's stack has no holes, and the certificate gets an owner of its own.
        return unsafe Certificate(retaining: postern_certs_at(pointer, Int32(index)))
    }

    deinit {
        // Safe: the stack holds one reference to each certificate and this object is its owner.
        unsafe postern_certs_free(pointer)
    }
}
