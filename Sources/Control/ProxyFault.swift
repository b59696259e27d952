public import Settings

/// Why a proxy could not start.
public enum ProxyFault: Error, Sendable, CustomStringConvertible {
    /// An address could not be bound; the flaw points at the setting.
    case bind(SettingsFlaw)
    case control(ControlFault)

    public var description: String {
        switch self {
        case .bind(let flaw): "\(flaw)"
        case .control(let fault): "\(fault)"
        }
    }
}
