public import Crypto

/// A failure on our side: no peer is at fault.
public enum TLSFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// OpenSSL refused a call that our own settings or files made.
    case crypto(CryptoFault)
    /// A name in our settings that TLS cannot carry (an application protocol or a server name).
    case unusableName(String)
    /// OpenSSL has none of the key exchange groups of our settings.
    case noKeyExchange([String])
    /// After a handshake, our own record layer could not take over OpenSSL's state.
    case recordsNotTakenOver
    /// A key has used up its record sequence numbers.
    case recordNumbersUsedUp

    public var description: String {
        switch self {
        case .crypto(let fault): fault.description
        case .unusableName(let name): "\"\(name)\" is not a name that TLS can carry"
        case .noKeyExchange(let groups): "OpenSSL has none of the key exchange groups \(groups.joined(separator: ", "))"
        case .recordsNotTakenOver: "the handshake left the records in no state to go on from"
        case .recordNumbersUsedUp: "a key has protected as many records as can be numbered"
        }
    }

    static func translating<Value: ~Copyable>(
        _ body: () throws(CryptoFault) -> Value
    ) throws(TLSFault) -> Value {
        do throws(CryptoFault) { return try body() } catch { throw .crypto(error) }
    }
}
