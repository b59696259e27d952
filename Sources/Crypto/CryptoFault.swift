/// A call of ours that libcrypto refused: no peer is at fault.
public enum CryptoFault: Error, Hashable, Sendable, CustomStringConvertible {
    case outOfMemory
    /// `library` and `reason` are OpenSSL's numbers; both are 0 where it left no error.
    case refused(call: String, library: Int32, reason: Int32)
    /// OpenSSL's FIPS provider cannot be loaded.
    case noFIPSProvider
    /// OpenSSL's configuration loads these providers beside the FIPS provider.
    case otherProviders([String])
    /// This process's cryptography comes from another module already.
    case moduleIsDecided
    /// OpenSSL's provider has no such algorithm, or not all of its functions.
    case missingAlgorithm(String)
    /// The text has no PEM block of the expected kind.
    case notPEM(expected: String)

    public var description: String {
        switch self {
        case .outOfMemory: "out of memory in OpenSSL"
        case .refused(let call, let library, let reason): "\(call) failed (library \(library), reason \(reason))"
        case .noFIPSProvider:
            "OpenSSL's FIPS provider cannot be loaded: install it, and have OpenSSL's configuration name what "
                + "`openssl fipsinstall` writes"
        case .otherProviders(let names):
            "OpenSSL's configuration activates other providers than `fips` and `base`: \(names.joined(separator: ", "))"
        case .moduleIsDecided: "this process's cryptography comes from another module already"
        case .missingAlgorithm(let name): "OpenSSL's provider has no usable \(name)"
        case .notPEM(let expected): "no PEM block of \(expected)"
        }
    }
}
