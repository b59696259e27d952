import CLibEvent
import EventLoop
import Glibc
import System
import TLS

extension HostFacts {
    /// Examines this process's host. Opens an io_uring and closes it again; binds nothing.
    ///
    /// - Parameter firewall: what the caller found of the firewall's programs.
    public static func read(firewall: FirewallFacts) -> HostFacts {
        var facts = HostFacts()
        facts.kernel = kernel()
        do throws(EventLoopFault) {
            _ = try EventLoop.ioURing(LoopLimits())
        } catch {
            facts.ioURingFault = error
        }
        facts.ioURingDisabled = number(inFile: "/proc/sys/kernel/io_uring_disabled")
        facts.user = geteuid()
        facts.take(status: FileContents.text(path: "/proc/self/status") ?? "")
        facts.descriptors = DescriptorLimit.raise()
        facts.now = WallClock.seconds()
        let synchronized = postern_clock_is_synchronized()
        facts.clockIsSynchronized = synchronized < 0 ? nil : synchronized == 1
        facts.firstUnprivilegedPort = number(inFile: "/proc/sys/net/ipv4/ip_unprivileged_port_start") ?? 1_024
        facts.cpus = CPUQuota.workers()
        facts.memoryBytes = MemoryQuota.defaultBytes()
        facts.openssl = (TLSLibrary.version, TLSLibrary.keyExchange)
        facts.firewall = firewall
        return facts
    }

    /// Takes what /proc/self/status says of privileges; lines that are missing leave their defaults.
    mutating func take(status: String) {
        func value(_ name: String, radix: Int = 10) -> UInt64? {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line.flatMap { UInt64($0.dropFirst(name.count + 1).filter { !$0.isWhitespace }, radix: radix) }
        }
        seccomp = value("Seccomp").map(Int.init(clamping:))
        noNewPrivileges = value("NoNewPrivs") == 1
        capabilities = CapabilitySet(bits: value("CapEff", radix: 16) ?? 0)
    }

    private static func number(inFile path: String) -> Int? {
        FileContents.text(path: path).flatMap { Int($0.prefix { !$0.isWhitespace }) }
    }

    private static func kernel() -> (String, String) {
        var name = utsname()
        // The call fills the structure, which outlives it, with terminated strings.
        guard unsafe uname(&name) == 0 else { return ("unknown", "unknown") }
        return (text(&name.release), text(&name.machine))
    }

    /// The terminated string in an array of C.
    private static func text<Bytes>(_ bytes: inout Bytes) -> String {
        // Only the array's own storage is read.
        unsafe withUnsafeBytes(of: &bytes) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
