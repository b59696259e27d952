import COpenSSL
import Identity
import Crypto
import SVID

/// Inspects each handshake message from a peer before OpenSSL acts on it, to bound OpenSSL's work.
///
/// - Too many messages in one read: the rest of the peer's bytes is dropped, so that one read of key updates cannot
///   hold up a worker.
/// - A chain that is remembered: its intermediates are hidden from OpenSSL, which would parse them in vain.
/// - Too many certificates: OpenSSL would parse each of them, a few for the price of a whole handshake, before the
///   sender is verified. The message is made malformed instead, and the handshake ends.
func inspectMessage(
    _ sent: Int32, _ version: Int32, _ contentType: Int32, _ bytes: UnsafeRawPointer?, _ count: Int,
    _ ssl: OpaquePointer?, _ argument: UnsafeMutableRawPointer?
) {
    // Safe: OpenSSL passes the SSL that reads, which has a window while it does, and its own buffer of the message.
    guard sent == 0, contentType == SSL3_RT_HANDSHAKE, let ssl = unsafe ssl, let bytes = unsafe bytes else { return }
    let window = unsafe RecordBIO.window(of: ssl)
    unsafe window.pointee.findings.receivedMessages += 1
    if unsafe window.pointee.findings.receivedMessages > window.pointee.receivedMessagesLimit {
        unsafe window.pointee.inputLeftBytes = 0
    }
    let message = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
    let isTLS13 = unsafe SSL_version(ssl) == TLS1_3_VERSION
    guard let list = unsafe CertificateListLength(message, isTLS13: isTLS13) else { return }
    guard list.certificates > SVIDVerifier.maximumPresentedCertificates else {
        guard let argument = unsafe argument else { return }
        let verifier = unsafe Unmanaged<SVIDVerifier>.fromOpaque(argument).takeUnretainedValue()
        return unsafe recall(message, list, isTLS13: isTLS13, verifier, window)
    }
    unsafe window.pointee.findings.refusal = .chainTooLong
    // Safe: the buffer is OpenSSL's heap memory, `offset` is within the message, and nothing else reads it meanwhile.
    // A list that claims another length than it has is refused with decode_error.
    unsafe UnsafeMutableRawPointer(mutating: bytes).storeBytes(of: 0xff, toByteOffset: list.offset, as: UInt8.self)
}

/// Checks whether the chain in `message` is remembered. If so, the certificates after the leaf become an extension of
/// the leaf's entry that no one knows, so that OpenSSL parses the leaf alone (RFC 8446, section 4.4.2).
private func recall(
    _ message: UnsafeRawBufferPointer, _ list: CertificateListLength, isTLS13: Bool, _ verifier: SVIDVerifier,
    _ window: UnsafeMutablePointer<ExchangeWindow>
) {
    let digest = unsafe Digest256(sha256: UnsafeRawBufferPointer(rebasing: message[list.offset...]))
    let peer = digest.flatMap { verifier.remembered($0) }
    unsafe window.pointee.findings.chainDigest = digest
    unsafe window.pointee.findings.rememberedPeer = peer
    guard peer != nil, isTLS13, list.certificates > 1 else { return }
    // Safe: the list's entries were counted within the message. The buffer is OpenSSL's heap memory; the handshake's
    // hash has been taken of it already, and nothing else reads it meanwhile.
    let first = list.offset + 3
    let leafCount = unsafe Int(message[first]) << 16 | Int(message[first + 1]) << 8 | Int(message[first + 2])
    let extensions = first + 3 + leafCount
    let rest = message.count - extensions - 2
    guard (4...0xffff).contains(rest), unsafe message[extensions] == 0, unsafe message[extensions + 1] == 0 else {
        return
    }
    let target = unsafe UnsafeMutableRawPointer(mutating: message.baseAddress!) + extensions
    unsafe target.storeBytes(of: UInt16(rest).bigEndian, toByteOffset: 0, as: UInt16.self)
    // A number from the range for private use (RFC 8447, section 7).
    unsafe target.storeBytes(of: UInt16(0xff4a).bigEndian, toByteOffset: 2, as: UInt16.self)
    unsafe target.storeBytes(of: UInt16(rest - 4).bigEndian, toByteOffset: 4, as: UInt16.self)
}

/// Where a Certificate message says how long its list is, and how many certificates that list has.
struct CertificateListLength: Equatable {
    let offset: Int
    let certificates: Int

    /// Nil if `message` is no Certificate message (RFC 8446, section 4.4.2; RFC 5246, section 7.4.2).
    init?(_ message: UnsafeRawBufferPointer, isTLS13: Bool) {
        // Safe, here and below: each offset is compared with the message's length before it is read.
        guard message.count > 5, unsafe message[0] == UInt8(SSL3_MT_CERTIFICATE) else { return nil }
        // In TLS 1.3 the request's context precedes the list.
        let offset = unsafe isTLS13 ? 5 + Int(message[4]) : 4
        guard offset + 3 <= message.count else { return nil }
        var cursor = offset + 3
        var certificates = 0
        while cursor + 3 <= message.count {
            cursor += unsafe 3 + Self.number(message[cursor], message[cursor + 1], message[cursor + 2])
            certificates += 1
            guard isTLS13 else { continue }
            guard cursor + 2 <= message.count else { break }
            cursor += unsafe 2 + Self.number(0, message[cursor], message[cursor + 1])
        }
        self.offset = offset
        self.certificates = certificates
    }

    private static func number(_ high: UInt8, _ middle: UInt8, _ low: UInt8) -> Int {
        Int(high) << 16 | Int(middle) << 8 | Int(low)
    }
}
