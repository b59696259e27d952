public import Crypto
import System

/// Why a key or certificate could not be made, read or written.
public enum PKIFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// OpenSSL refused a call.
    case crypto(CryptoFault)
    /// A file could not be read or written.
    case file(path: String, operation: String, errno: Int32)
    /// The path names a folder, a FIFO or a device.
    case notAFile(path: String)
    /// The text is not the PEM that was expected.
    case notPEM(expected: String)
    /// A path, a trust domain or an ID is not valid.
    case invalidID(String)
    /// The certificate does not match its private key, or may not sign.
    case notAnAuthority(reason: String)

    public var description: String {
        switch self {
        case .crypto(let fault): fault.description
        case .file(let path, let operation, let errno): "\(path): cannot \(operation): \(systemMessage(errno))"
        case .notAFile(let path): "\(path): is not a regular file"
        case .notPEM(let expected): "no PEM block of \(expected)"
        case .invalidID(let reason): reason
        case .notAnAuthority(let reason): reason
        }
    }

    static func translating<Value>(_ body: () throws(CryptoFault) -> Value) throws(PKIFault) -> Value {
        do throws(CryptoFault) { return try body() } catch { throw .crypto(error) }
    }
}
