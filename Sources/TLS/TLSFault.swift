/// What went wrong on our side: no peer is to blame.
public enum TLSFault: Error, Hashable, Sendable, CustomStringConvertible {
    case outOfMemory
    /// OpenSSL refused a call that our own settings or files made; `reason` is OpenSSL's number of it.
    case openSSL(call: String, library: Int32, reason: Int32)
    /// A name in our settings that TLS cannot carry (an application protocol or a server name).
    case unusableName(String)

    public var description: String {
        switch self {
        case .outOfMemory: "out of memory in OpenSSL"
        case .openSSL(let call, let library, let reason): "\(call) failed (library \(library), reason \(reason))"
        case .unusableName(let name): "\"\(name)\" is not a name that TLS can carry"
        }
    }
}
