import COpenSSL
import Synchronization
import Crypto
import SVID

/// A session that may be resumed later; this object owns one reference to it.
///
/// Sendable by hand: OpenSSL counts references atomically, and nothing changes a session once it is kept.
@safe
final class KeptSession: @unchecked Sendable {
    let pointer: OpaquePointer
    /// The peer that it was established with; set on the accepting side only.
    let peer: PeerSVID?
    private let isForgotten = Atomic(false)

    init(owning pointer: OpaquePointer, peer: PeerSVID? = nil) {
        unsafe self.pointer = pointer
        self.peer = peer
    }

    /// The session ID, by which the accepting side finds it.
    var number: Digest256? {
        // Safe: the bytes belong to the session and are copied at once.
        var count: UInt32 = 0
        let bytes = unsafe SSL_SESSION_get_id(pointer, &count)
        return unsafe Digest256(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
    }

    var isResumable: Bool { unsafe !isForgotten.load(ordering: .relaxed) && SSL_SESSION_is_resumable(pointer) == 1 }

    /// Its connection has failed: it must not be resumed.
    func forget() { isForgotten.store(true, ordering: .relaxed) }

    /// Only TLS 1.3 sessions are resumed: those of TLS 1.2 are bound to neither the name nor the key exchange.
    var isTLS13: Bool { unsafe SSL_SESSION_get_protocol_version(pointer) == TLS1_3_VERSION }

    deinit {
        unsafe SSL_SESSION_free(pointer)
    }
}
