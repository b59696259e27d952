import COpenSSL
import Crypto

/// An OpenSSL algorithm that protects records, called directly in its provider as libcrypto itself does
/// (provider-cipher(7)).
///
/// EVP would look up parameters by name for every record.
@safe
final class AEAD {
    private let functions: postern_aead
    private let provider: UnsafeMutableRawPointer

    init(_ cipher: RecordCipher) throws(TLSFault) {
        let name = cipher.algorithm
        guard let found = unsafe LeanProvider.cipher(named: name) else { throw .crypto(.missingAlgorithm(name)) }
        // Safe: a loaded provider's tables are static, and end with an entry of zeros.
        var functions = postern_aead()
        guard unsafe postern_aead_load(&functions, found.functions) == 1 else { throw .crypto(.missingAlgorithm(name)) }
        self.functions = functions
        unsafe provider = found.provider
    }

    // Safe, in all that follows: the state is one of this algorithm, and whoever calls passes the room that is named.

    func makeState() throws(TLSFault) -> UnsafeMutableRawPointer {
        guard let state = unsafe functions.newctx(provider) else { throw .crypto(.outOfMemory) }
        return unsafe state
    }

    func free(_ state: UnsafeMutableRawPointer) { unsafe functions.freectx(state) }

    /// Sets the key of a state.
    func setKey(_ key: UnsafeRawBufferPointer, of state: UnsafeMutableRawPointer, _ use: TrafficKey.Use) -> Bool {
        let bytes = unsafe key.assumingMemoryBound(to: UInt8.self).baseAddress
        return switch use {
        case .sealing: unsafe functions.encrypt_init(state, bytes, key.count, nil, 0, nil) == 1
        case .opening: unsafe functions.decrypt_init(state, bytes, key.count, nil, 0, nil) == 1
        }
    }

    @inline(__always)
    func beginSealing(_ state: UnsafeMutableRawPointer, _ nonce: UnsafeRawBufferPointer) -> Bool {
        let bytes = unsafe nonce.assumingMemoryBound(to: UInt8.self).baseAddress
        return unsafe functions.encrypt_init(state, nil, 0, bytes, nonce.count, nil) == 1
    }

    /// - Parameter tag: of `RecordFormat.tagBytes`; what `end` compares with.
    @inline(__always)
    func beginOpening(
        _ state: UnsafeMutableRawPointer, _ nonce: UnsafeRawBufferPointer, tag: UnsafeRawPointer
    ) -> Bool {
        unsafe withUnsafePointer(to: functions) { functions in
            unsafe postern_aead_begin_opening(
                functions, state, nonce.baseAddress, nonce.count, tag, RecordFormat.tagBytes) == 1
        }
    }

    /// Adds the additional authenticated data.
    @inline(__always)
    func authenticate(_ state: UnsafeMutableRawPointer, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var done = 0
        return unsafe functions.update(state, nil, &done, count, bytes, count) == 1
    }

    /// Writes as many bytes as it reads; `output` may be `input`.
    @inline(__always)
    func transform(
        _ state: UnsafeMutableRawPointer, _ input: UnsafePointer<UInt8>, _ count: Int,
        into output: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        var done = 0
        return unsafe functions.update(state, output, &done, count, input, count) == 1 && done == count
    }

    /// False if the given tag does not match; `end` is any writable address.
    @inline(__always)
    func finish(_ state: UnsafeMutableRawPointer, _ end: UnsafeMutablePointer<UInt8>) -> Bool {
        var done = 0
        return unsafe functions.final(state, end, &done, 0) == 1
    }

    /// Writes the tag of the sealed bytes, of `RecordFormat.tagBytes`.
    @inline(__always)
    func writeTag(_ state: UnsafeMutableRawPointer, to tag: UnsafeMutableRawPointer) -> Bool {
        unsafe withUnsafePointer(to: functions) { functions in
            unsafe postern_aead_get_tag(functions, state, tag, RecordFormat.tagBytes) == 1
        }
    }
}
