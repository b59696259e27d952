/// What went wrong on our side: no peer is to blame.
public enum TLSFault: Error, Hashable, Sendable, CustomStringConvertible {
    case outOfMemory
    /// OpenSSL refused a call that our own settings or files made; `reason` is OpenSSL's number of it.
    case openSSL(call: String, library: Int32, reason: Int32)
    /// A name in our settings that TLS cannot carry (an application protocol or a server name).
    case unusableName(String)
    /// OpenSSL's default provider has no such algorithm, or not all of its functions.
    case missingAlgorithm(String)
    /// After a handshake, OpenSSL's state was not what our own records can go on from.
    case recordsNotTakenOver
    /// One key has protected as many records as can be numbered.
    case recordNumbersUsedUp

    public var description: String {
        switch self {
        case .outOfMemory: "out of memory in OpenSSL"
        case .openSSL(let call, let library, let reason): "\(call) failed (library \(library), reason \(reason))"
        case .unusableName(let name): "\"\(name)\" is not a name that TLS can carry"
        case .missingAlgorithm(let name): "OpenSSL's default provider has no usable \(name)"
        case .recordsNotTakenOver: "the handshake left the records in no state to go on from"
        case .recordNumbersUsedUp: "a key has protected as many records as can be numbered"
        }
    }
}
