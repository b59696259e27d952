import EventLoop
import Glibc
import SVID
import Settings
import System
import Telemetry

/// Whether a proxy can run here, line by line. Pure.
public struct Diagnosis: Sendable {
    public private(set) var findings: [Finding] = []

    /// No finding is an error.
    public var isSound: Bool { !findings.contains { $0.severity == .error } }

    /// - Parameters:
    ///   - checked: nil: no settings are known, and nothing is said of what depends on them.
    ///   - socket: the address of the Workload API, and the errno of an attempt to connect, 0 for none; nil: none is
    ///     in use.
    public init(
        _ facts: HostFacts, _ checked: CheckedSettings? = nil, socket: IdentitySocket? = nil,
        environment: EnvironmentFlaws? = nil
    ) {
        let settings = checked?.settings
        findings.append(Finding(.kernel, .ok, "Linux \(facts.kernel.release), \(facts.kernel.architecture)"))
        findings.append(Self.ioURing(facts, settings))
        findings.append(Self.seccomp(facts))
        findings.append(Self.capabilities(facts, settings))
        findings.append(Self.firewall(facts, settings))
        if let settings { findings.append(Self.ports(facts, settings)) }
        findings.append(Self.clock(facts))
        findings.append(Self.descriptors(facts, settings))
        findings.append(
            Finding(.resources, .ok, "\(facts.cpus) CPUs, and \(facts.memoryBytes >> 20) MiB for connections"))
        findings.append(Finding(.openssl, .ok, "\(facts.openssl.version), with \(facts.openssl.groups)"))
        if let checked {
            findings += Self.flaws(checked)
            findings += Self.certificate(checked, facts)
        }
        if let socket { findings.append(Self.identitySocket(socket)) }
        for flaw in environment?.errors ?? [] {
            findings.append(Finding(.environment, .error, flaw, remedy: "correct the variable, or leave it out"))
        }
    }

    // MARK: Private

    private static func ioURing(_ facts: HostFacts, _ settings: Settings?) -> Finding {
        if settings?.eventLoop == .epoll { return Finding(.ioURing, .ok, "not used: the settings ask for epoll") }
        guard let fault = facts.ioURingFault else { return Finding(.ioURing, .ok, "works") }
        let isRequired = settings?.eventLoop == .ioURing
        let reason: String
        let remedy: String
        switch (facts.ioURingDisabled, fault) {
        case (let disabled?, _) where disabled == 2 || (disabled == 1 && !facts.capabilities.contains(.administerAll)):
            reason = "kernel.io_uring_disabled is \(disabled)"
            remedy = "sysctl kernel.io_uring_disabled=0"
        case (_, .ioURingRefused) where facts.seccomp == 2:
            reason = "the seccomp profile refuses it"
            remedy =
                "the profile of `postern kubernetes seccomp-profile`, or one with io_uring_setup, io_uring_enter and"
                + " io_uring_register"
        case (_, .ioURingLacks):
            reason = "\(fault)"
            remedy = "a kernel from 6.1 on"
        default:
            reason = "\(fault)"
            remedy = "a kernel from 6.1 on that has io_uring"
        }
        return isRequired
            ? Finding(.ioURing, .error, reason, remedy: "`eventLoop: auto`, or \(remedy)")
            : Finding(
                .ioURing, .warning, "\(reason); the proxy uses epoll",
                remedy: "none is needed; for io_uring: \(remedy)")
    }

    private static func seccomp(_ facts: HostFacts) -> Finding {
        let mode =
            switch facts.seccomp {
            case 0: "off"
            case 1: "strict"
            case 2: "filter"
            default: "unknown"
            }
        return Finding(.seccomp, .ok, "\(mode)\(facts.noNewPrivileges ? ", without new privileges" : "")")
    }

    private static func capabilities(_ facts: HostFacts, _ settings: Settings?) -> Finding {
        let message = "user \(facts.user), capabilities: \(facts.capabilities)"
        let needing = settings.map(settingsForAdministrators) ?? []
        guard !needing.isEmpty, !facts.capabilities.contains(.administerNetwork) else {
            return Finding(.capabilities, .ok, message)
        }
        return Finding(
            .capabilities, .error, "\(message); \(needing.joined(separator: " and ")) takes NET_ADMIN",
            remedy: "securityContext.capabilities.add: [NET_ADMIN] in Kubernetes, AmbientCapabilities=CAP_NET_ADMIN in"
                + " systemd")
    }

    private static func settingsForAdministrators(_ settings: Settings) -> [String] {
        (settings.mark == nil ? [] : ["`mark`"])
            + (settings.listeners.contains { $0.transparency == .tproxy } ? ["`transparent: tproxy`"] : [])
    }

    private static func firewall(_ facts: HostFacts, _ settings: Settings?) -> Finding {
        if let settings, settings.listeners.allSatisfy({ $0.transparency == .off }) {
            return Finding(.firewall, .ok, "not used: no listener is transparent")
        }
        if let working = facts.firewall.working { return Finding(.firewall, .ok, "\(working) works") }
        let remedy =
            facts.capabilities.contains(.administerNetwork)
            ? "install nftables, or iptables"
            : "`postern redirect --apply` takes NET_ADMIN: in a pod an init container has it, the proxy does not need it"
        return Finding(
            .firewall, .warning, "no program loads rules here: \(facts.firewall.reasons.joined(separator: "; "))",
            remedy: remedy)
    }

    private static func ports(_ facts: HostFacts, _ settings: Settings) -> Finding {
        let ports = settings.listeners.compactMap(\.bind.endpoint?.port).map(Int.init).filter { $0 != 0 }
        let privileged = ports.filter { $0 < facts.firstUnprivilegedPort }
        guard !privileged.isEmpty, !facts.capabilities.contains(.bindPorts) else {
            return Finding(.ports, .ok, "this user may listen on \(ports.isEmpty ? "all" : "all of the settings")")
        }
        let named = Set(privileged).sorted().map(String.init).joined(separator: ", ")
        return Finding(
            .ports, .error, "this user may not listen on \(named)",
            remedy:
                "ports from \(facts.firstUnprivilegedPort) on, the capability NET_BIND_SERVICE, a socket unit of systemd, or"
                + " sysctl net.ipv4.ip_unprivileged_port_start=\(Set(privileged).min()!)")
    }

    private static func clock(_ facts: HostFacts) -> Finding {
        let now = CivilTime.rfc3339(unixSeconds: facts.now)
        guard facts.now >= earliestSeconds else {
            return Finding(
                .clock, .error, "it is \(now) here: every certificate is from the future", remedy: "set the clock")
        }
        switch facts.clockIsSynchronized {
        case true?: return Finding(.clock, .ok, "\(now), synchronized")
        case nil: return Finding(.clock, .ok, "\(now)")
        case false?:
            return Finding(
                .clock, .warning,
                "\(now), not synchronized: certificates count as expired or not yet valid if it is wrong",
                remedy: "run chrony or systemd-timesyncd on the host")
        }
    }

    private static func descriptors(_ facts: HostFacts, _ settings: Settings?) -> Finding {
        let connections = (settings?.limits ?? LimitSettings()).connections
        let needed = DescriptorLimit.needed(connections: connections)
        let message = "the limit of open files is \(facts.descriptors)"
        guard facts.descriptors < needed else { return Finding(.descriptors, .ok, message) }
        return Finding(
            .descriptors, .warning, "\(message): too low for \(connections) connections, which take \(needed)",
            remedy: "LimitNOFILE=\(needed) in systemd, --ulimit nofile=\(needed) of a container, or a lower"
                + " limits.connections")
    }

    private static func flaws(_ checked: CheckedSettings) -> [Finding] {
        guard !checked.flaws.isEmpty else { return [Finding(.settings, .ok, "no flaws")] }
        return checked.flaws.map { flaw in
            Finding(.settings, flaw.severity == .error ? .error : .warning, "\(flaw.position): \(flaw.message)")
        }
    }

    private static func certificate(_ checked: CheckedSettings, _ facts: HostFacts) -> [Finding] {
        guard let material = checked.ready?.material else { return [] }
        let message = "\(material.id), valid until \(CivilTime.rfc3339(unixSeconds: material.notAfter))"
        guard material.notAfter - facts.now < soonSeconds else { return [Finding(.certificate, .ok, message)] }
        return [
            Finding(
                .certificate, .warning, "\(message), in \(max(0, material.notAfter - facts.now) / 60) minutes",
                remedy: "renew the file: a proxy that runs reads it again at once")
        ]
    }

    private static func identitySocket(_ socket: IdentitySocket) -> Finding {
        let remedy =
            switch socket.errno {
            case 0: String?.none
            case ENOENT: "mount the socket of the agent (csi.spiffe.io in Kubernetes), or correct the path"
            case EACCES, EPERM: "give this user access to the socket and its folders"
            case ECONNREFUSED: "start the agent: the socket is there, but nobody listens"
            default: "see whether the agent runs"
            }
        guard let remedy else { return Finding(.identitySocket, .ok, "\(socket.address) accepts connections") }
        return Finding(
            .identitySocket, .error, "\(socket.address): \(systemMessage(socket.errno))", remedy: remedy)
    }

    /// 2025-01-01: this program did not exist before.
    private static let earliestSeconds: Int64 = 1_735_689_600
    private static let soonSeconds: Int64 = 900
}

extension CapabilitySet {
    /// CAP_SYS_ADMIN, which `kernel.io_uring_disabled=1` exempts.
    fileprivate static let administerAll = CapabilitySet(bits: 1 << 21)
}
