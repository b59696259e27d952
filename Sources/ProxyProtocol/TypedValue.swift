/// One typed value of a header (section 2.2.x): a type, a length, and the value.
public enum TypedValue: Hashable, Sendable {
    /// The application protocol that was agreed (ALPN).
    case applicationProtocol(String)
    /// The server name that the client asked for (SNI).
    case serverName(String)
    /// The same as in the access log; no more than 128 bytes of it are written.
    case uniqueID(String)
    /// The verified SPIFFE ID of the peer, under the type that ztunnel uses.
    case identity(String)
    /// The client spoke TLS, and was verified by its certificate. A certificate of X509-SVID says nothing in its CN.
    case tls(version: String, cipher: String)
    /// The client spoke no TLS with us, and proved nothing.
    case plaintext

    enum Code: UInt8 {
        case applicationProtocol = 0x01
        case serverName = 0x02
        case checksum = 0x03
        case uniqueID = 0x05
        case tls = 0x20
        case tlsVersion = 0x21
        case tlsCipher = 0x23
        case identity = 0xD0
    }

    var code: Code {
        switch self {
        case .applicationProtocol: .applicationProtocol
        case .serverName: .serverName
        case .uniqueID: .uniqueID
        case .identity: .identity
        case .tls, .plaintext: .tls
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .applicationProtocol(let name): Self.encode(.applicationProtocol, Array(name.utf8))
        case .serverName(let name): Self.encode(.serverName, Array(name.utf8))
        case .uniqueID(let text): Self.encode(.uniqueID, Array(text.utf8.prefix(Self.uniqueIDBytesAtMost)))
        case .identity(let id): Self.encode(.identity, Array(id.utf8))
        // No fact holds, and a result of the verification other than 0 is no success.
        case .plaintext: Self.encode(.tls, [0, 0, 0, 0, 1])
        case .tls(let version, let cipher):
            Self.encode(
                .tls,
                // Which facts hold, and the result of the verification: 0 is success.
                [Self.isTLS | Self.hasCertificateOfConnection | Self.hasCertificateOfSession, 0, 0, 0, 0]
                    + Self.encode(.tlsVersion, Array(version.utf8)) + Self.encode(.tlsCipher, Array(cipher.utf8)))
        }
    }

    static func encode(_ code: Code, _ value: [UInt8]) -> [UInt8] {
        [code.rawValue, UInt8(truncatingIfNeeded: value.count >> 8), UInt8(truncatingIfNeeded: value.count)] + value
    }

    /// A type and a length.
    static let prefixBytes = 3
    private static let isTLS: UInt8 = 0x01
    private static let hasCertificateOfConnection: UInt8 = 0x02
    private static let hasCertificateOfSession: UInt8 = 0x04
    private static let uniqueIDBytesAtMost = 128
}
