import COpenSSL
import Crypto

/// The one BIO of a worker: it reads from and writes to the memory that an `ExchangeWindow` points at.
///
/// Each `SSL` holds a reference; there is neither a socket nor a memory BIO. Every use of OpenSSL's BIO interface is
/// in this file.
@safe
struct RecordBIO: ~Copyable {
    private let bio: OpaquePointer
    private let method: OpaquePointer

    /// A BIO over `window`, which must outlive it and every `SSL` it is attached to.
    init(window: UnsafeMutablePointer<ExchangeWindow>) throws(TLSFault) {
        // Safe: the method outlives the BIO, since deinit frees it second and sessions keep their exchange alive.
        guard let method = unsafe BIO_meth_new(Self.type, "postern records") else { throw .crypto(.outOfMemory) }
        unsafe BIO_meth_set_read_ex(method, readRecords)
        unsafe BIO_meth_set_write_ex(method, writeRecords)
        unsafe BIO_meth_set_ctrl(method, controlRecords)
        guard let bio = unsafe BIO_new(method) else {
            unsafe BIO_meth_free(method)
            throw .crypto(.outOfMemory)
        }
        unsafe BIO_set_data(bio, window)
        unsafe BIO_set_init(bio, 1)
        unsafe self.bio = bio
        unsafe self.method = method
    }

    /// Makes `ssl` read and write through this BIO.
    func attach(to ssl: OpaquePointer) {
        // Safe: SSL_set_bio takes one reference when both directions are the same BIO, and it is given its own.
        unsafe BIO_up_ref(bio)
        unsafe SSL_set_bio(ssl, bio, bio)
    }

    /// The window that `ssl` sees bytes through, for OpenSSL's callbacks.
    static func window(of ssl: OpaquePointer) -> UnsafeMutablePointer<ExchangeWindow> {
        // Safe: attach(to:) gave this SSL a BIO whose data is a window, before any callback can run.
        unsafe BIO_get_data(SSL_get_rbio(ssl))!.assumingMemoryBound(to: ExchangeWindow.self)
    }

    deinit {
        // Safe: this is the last owner; a session holds its exchange for as long as its SSL has the BIO.
        unsafe BIO_free(bio)
        unsafe BIO_meth_free(method)
    }

    /// A source and sink with a number of its own: OpenSSL compares it with nothing but its built-in types.
    private static let type = Int32(BIO_TYPE_SOURCE_SINK | 0x7f)
}

private func readRecords(
    _ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ wanted: Int, _ done: UnsafeMutablePointer<Int>?
) -> Int32 {
    // Safe: OpenSSL calls with the BIO that `init` made and with room for `wanted` bytes; the window's input points at
    // `inputLeftBytes` readable bytes for as long as the call that set it runs.
    let window = unsafe BIO_get_data(bio)!.assumingMemoryBound(to: ExchangeWindow.self)
    unsafe postern_bio_clear_retry(bio)
    let count = unsafe min(wanted, window.pointee.inputLeftBytes)
    guard count > 0, let target = unsafe target, let source = unsafe window.pointee.input else {
        unsafe done?.pointee = 0
        unsafe postern_bio_retry_read(bio)
        return 0
    }
    unsafe UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count)
    unsafe window.pointee.input = source + count
    unsafe window.pointee.inputLeftBytes -= count
    unsafe done?.pointee = count
    return 1
}

private func writeRecords(
    _ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ wanted: Int, _ done: UnsafeMutablePointer<Int>?
) -> Int32 {
    // Safe: as in `readRecords`; the window's output has `outputCapacityBytes` writable bytes.
    let window = unsafe BIO_get_data(bio)!.assumingMemoryBound(to: ExchangeWindow.self)
    unsafe postern_bio_clear_retry(bio)
    let room = unsafe window.pointee.outputCapacityBytes - window.pointee.outputUsedBytes
    let count = min(wanted, room)
    guard count > 0, let source = unsafe source, let target = unsafe window.pointee.output else {
        unsafe done?.pointee = 0
        unsafe postern_bio_retry_write(bio)
        return 0
    }
    unsafe (target + window.pointee.outputUsedBytes).copyMemory(from: source, byteCount: count)
    unsafe window.pointee.outputUsedBytes += count
    unsafe done?.pointee = count
    return 1
}

private func controlRecords(
    _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int {
    // A flush always succeeds: written bytes are already where they belong. Nothing else is supported.
    command == BIO_CTRL_FLUSH ? 1 : 0
}
