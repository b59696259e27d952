import Glibc
import TLS

/// One send buffer per client, and one shared buffer for opening records.
///
/// One reserved mapping: untouched pages are not resident.
@safe
struct SendBuffers: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let clients: Int

    init(clients: Int) {
        self.clients = clients
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let bytes = (clients + 1) * Self.bufferBytes
        let mapped = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            preconditionFailure("no address space for the send buffers")
        }
        // Safe: owned until `deinit`; every slot is checked.
        unsafe base = mapped
    }

    deinit {
        _ = unsafe munmap(base, (clients + 1) * Self.bufferBytes)
    }

    /// A client's whole buffer.
    @inline(__always)
    func memory(_ slot: Int32) -> UnsafeMutableRawBufferPointer {
        precondition(slot >= 0 && Int(slot) < clients, "no such send buffer")
        // Safe: within the mapping.
        return unsafe UnsafeMutableRawBufferPointer(
            start: base + Int(slot) * Self.bufferBytes, count: Self.bufferBytes)
    }

    /// A client's buffer from `start` on, as an output span.
    @_lifetime(immortal)
    func output(_ slot: Int32, from start: Int32) -> OutputRawSpan {
        // Safe: the mapping outlives every use of the span, which ends before the bytes are sent.
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory(slot)[Int(start)...])
        let span = unsafe OutputRawSpan(buffer: rest, initializedCount: 0)
        return unsafe _overrideLifetime(span, copying: ())
    }

    /// The buffer for opening records; its bytes are checked before the next records are opened.
    var plaintext: UnsafeMutableRawBufferPointer {
        // Safe: the last of the mapping's buffers.
        unsafe UnsafeMutableRawBufferPointer(start: base + clients * Self.bufferBytes, count: Self.bufferBytes)
    }

    /// Room for a sealed stretch of the pattern after a handshake flight or a reply, and for the plaintext of a full
    /// receive, in whole pages.
    static let bufferBytes = 272 * 1024
    /// A client receives only while its buffer has room for a possible reply.
    static let answerBytes = TLSSession.flightBytes + 8 * 1024
}
