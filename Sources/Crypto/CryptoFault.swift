/// A call of ours that libcrypto refused: no peer is at fault.
public enum CryptoFault: Error, Hashable, Sendable, CustomStringConvertible {
    case outOfMemory
    /// `library` and `reason` are OpenSSL's numbers; both are 0 where it left no error.
    case refused(call: String, library: Int32, reason: Int32)
    /// OpenSSL's default provider has no such algorithm, or not all of its functions.
    case missingAlgorithm(String)
    /// The text has no PEM block of the expected kind.
    case notPEM(expected: String)

    public var description: String {
        switch self {
        case .outOfMemory: "out of memory in OpenSSL"
        case .refused(let call, let library, let reason): "\(call) failed (library \(library), reason \(reason))"
        case .missingAlgorithm(let name): "OpenSSL's default provider has no usable \(name)"
        case .notPEM(let expected): "no PEM block of \(expected)"
        }
    }
}
