import COpenSSL
import Crypto
import Identity
import SVID

/// Verifies the peer's chain during a handshake; `argument` is the context's `SVIDVerifier`.
func verifyPeer(_ context: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    // Safe: the context that registered this callback owns the verifier and outlives its sessions; OpenSSL stores the
    // SSL in the store context's ex_data, and a session's SSL has a window before its handshake begins. What the store
    // context lends is retained before it is used.
    let verifier = unsafe Unmanaged<SVIDVerifier>.fromOpaque(argument!).takeUnretainedValue()
    let index = SSL_get_ex_data_X509_STORE_CTX_idx()
    guard let context = unsafe context, let ssl = unsafe X509_STORE_CTX_get_ex_data(context, index) else { return 0 }
    let window = unsafe RecordBIO.window(of: OpaquePointer(ssl))
    let leaf = unsafe X509_STORE_CTX_get0_cert(context).map { unsafe Certificate(retaining: $0) }
    do throws(SVIDRefusal) {
        guard let leaf, let presented = unsafe try? CertificateStack(retaining: X509_STORE_CTX_get0_untrusted(context))
        else { throw .noCertificate }
        unsafe window.pointee.findings.verifiedPeer = try verifier.verify(
            leaf, presented: presented, chain: window.pointee.findings.chainDigest,
            remembered: window.pointee.findings.rememberedPeer)
        unsafe X509_STORE_CTX_set_error(context, X509_V_OK)
        return 1
    } catch {
        unsafe window.pointee.findings.refusal = error
        unsafe window.pointee.findings.refusedPeer = leaf.map {
            RefusedPeer(leaf: $0, isVerified: error == .identityNotExpected)
        }
        unsafe X509_STORE_CTX_set_error(context, error.verificationCode)
        return 0
    }
}
