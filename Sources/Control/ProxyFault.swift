public import Settings
public import TLS

/// Why a proxy could not start.
public enum ProxyFault: Error, Sendable, CustomStringConvertible {
    /// An address could not be bound; the flaw points at the setting.
    case bind(SettingsFlaw)
    /// The kernel or the process's privileges do not allow what a setting asks for; the flaw points at it.
    case unsupported(SettingsFlaw)
    case control(ControlFault)
    /// OpenSSL rejected the settings.
    case tls(TLSFault)

    public var description: String {
        switch self {
        case .bind(let flaw): "\(flaw)"
        case .unsupported(let flaw): "\(flaw)"
        case .control(let fault): "\(fault)"
        case .tls(let fault): "\(fault)"
        }
    }
}
