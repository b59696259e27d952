import DataPlane
import EventLoop
import Glibc
import Settings
import System

/// Whether kernel and privileges allow what the settings ask of transparent proxying: each is tried on a socket.
enum TransparencyCheck {
    /// One flaw for each setting that cannot work here.
    static func flaws(
        _ settings: Settings, _ sources: SourceMap, severity: SettingsFlaw.Severity
    ) -> [SettingsFlaw] {
        var flaws: [SettingsFlaw] = []
        if let mark = settings.mark {
            let code = TransparentSupport.marks(UInt32(clamping: mark))
            if code != 0 { flaws.append(SettingsFlaw(severity, at: sources.mark, message("mark", code))) }
        }
        for (index, listener) in settings.listeners.enumerated() where listener.transparency != .off {
            guard let bind = listener.bind.endpoint else { continue }
            let isIPv6 = SocketAddress(bind).isIPv6
            let code =
                listener.transparency == .tproxy
                ? TransparentSupport.transparentSockets(isIPv6: isIPv6)
                : TransparentSupport.originalDestinations(isIPv6: isIPv6)
            guard code != 0 else { continue }
            flaws.append(
                SettingsFlaw(
                    severity, at: sources.transparent(ofListener: index),
                    message("transparent: \(listener.transparency.rawValue)", code)))
        }
        return flaws
    }

    private static func message(_ setting: String, _ code: Int32) -> String {
        let reason = "`\(setting)` does not work here: \(systemMessage(code)); "
        switch code {
        case EPERM, EACCES: return reason + privilege
        case ENOPROTOOPT: return reason + modules
        default: return reason + "see the page on transparent mode"
        }
    }

    private static let privilege =
        "it takes the capability CAP_NET_ADMIN: run as root, or grant it (securityContext.capabilities.add:"
        + " [NET_ADMIN] in Kubernetes, AmbientCapabilities=CAP_NET_ADMIN in systemd)"
    private static let modules =
        "the kernel has no connection tracking: install the firewall's rules before the proxy starts, or load the module"
        + " nf_conntrack"
}
