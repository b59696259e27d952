import System

/// Why a key or certificate could not be made, read or written.
public enum PKIFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// OpenSSL refused a call; `code` is its packed error code.
    case openSSL(call: String, code: UInt)
    /// A file could not be read or written.
    case file(path: String, operation: String, errno: Int32)
    /// What was to be read is a folder, a FIFO or a device.
    case notAFile(path: String)
    /// The text is not the PEM that was expected.
    case notPEM(expected: String)
    /// A path, a trust domain or an ID is not valid.
    case invalidID(String)
    /// The certificate does not match its private key, or may not sign.
    case notAnAuthority(reason: String)

    public var description: String {
        switch self {
        case .openSSL(let call, let code): "\(call) failed (OpenSSL error \(String(code, radix: 16)))"
        case .file(let path, let operation, let errno): "\(path): cannot \(operation): \(systemMessage(errno))"
        case .notAFile(let path): "\(path): is not a regular file"
        case .notPEM(let expected): "no PEM block of \(expected)"
        case .invalidID(let reason): reason
        case .notAnAuthority(let reason): reason
        }
    }
}
