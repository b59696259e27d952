public import EventLoop

/// What this process finds of the kernel, its own privileges and its limits.
public struct HostFacts: Sendable {
    /// Such as `6.1.0`, and the machine's architecture.
    public var kernel = (release: "", architecture: "")
    /// Why the event loop cannot be io_uring; nil if it can.
    public var ioURingFault: EventLoopFault?
    /// `kernel.io_uring_disabled`; nil where the kernel has no such setting.
    public var ioURingDisabled: Int?
    /// `Seccomp` of /proc/self/status: 0 off, 1 strict, 2 filter.
    public var seccomp: Int?
    public var noNewPrivileges = false
    public var user: UInt32 = 0
    public var capabilities = CapabilitySet(bits: 0)
    /// The hard limit of open descriptors.
    public var descriptors = 0
    /// Unix seconds.
    public var now: Int64 = 0
    /// Nil if the kernel does not tell.
    public var clockIsSynchronized: Bool?
    /// Lower ports take a capability.
    public var firstUnprivilegedPort = 1_024
    public var cpus = 1
    /// Of `limits.memory`.
    public var memoryBytes = 0
    /// The version of OpenSSL, and its key exchange groups.
    public var openssl = (version: "", groups: "")
    public var firewall = FirewallFacts()

    public init() {}
}

/// The programs that load the firewall's rules.
public struct FirewallFacts: Sendable {
    /// The first one that works here.
    public var working: String?
    /// Of the others, why they do not.
    public var reasons: [String] = []

    public init() {}
}

/// Effective capabilities of a process (capabilities(7)).
public struct CapabilitySet: Hashable, Sendable, CustomStringConvertible {
    public let bits: UInt64

    public init(bits: UInt64) { self.bits = bits }

    public static let bindPorts = CapabilitySet(bits: 1 << 10)
    public static let administerNetwork = CapabilitySet(bits: 1 << 12)

    public func contains(_ other: CapabilitySet) -> Bool { bits & other.bits == other.bits }

    /// The names without their prefix, those of newer kernels as numbers.
    public var description: String {
        guard bits != 0 else { return "none" }
        let known = UInt64(1) << UInt64(Self.names.count) - 1
        let missing = known & ~bits
        if missing == 0 { return "all" }
        if missing.nonzeroBitCount < Self.names.count / 2 { return "all but \(Self.list(missing))" }
        return Self.list(bits)
    }

    private static func list(_ bits: UInt64) -> String {
        (0..<64).filter { bits >> UInt64($0) & 1 == 1 }.map { $0 < names.count ? names[$0] : "\($0)" }
            .joined(separator: ", ")
    }

    /// By number (linux/capability.h).
    private static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]
}
