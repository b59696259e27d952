import BenchFigures
import Callgrind
import Glibc
import Loopback
import PosternTesting

/// Counts the proxy's own instructions per 16 KiB relayed through a pair, under valgrind.
///
/// The difference of two runs that differ only in their bytes excludes start-up and handshake. OpenSSL and the kernel
/// are left out, and libc's work for Postern is listed separately. valgrind does not support io_uring.
enum Instructions {
    static func measure(site: Site, plan: Plan) throws -> [Reading] {
        let few = try count(megabytes: 4, site: site, plan: plan)
        let many = try count(megabytes: 4 + differenceMegabytes, site: site, plan: plan)
        let records = Double(differenceMegabytes * 64)
        return [(.instructions, [Double(many.own - few.own) / records, Double(many.libc - few.libc) / records])]
    }

    private static let differenceMegabytes = 32

    private static func count(megabytes: Int, site: Site, plan: Plan) throws -> (own: Int, libc: Int) {
        let output = site.folder.file("callgrind.\(megabytes)")
        // valgrind counts `rep movsb` once per byte, a processor once: so libc must copy without it.
        let pair = try ProxyPair(
            .posternEpoll, resumption: false, site: site, plan: plan, capacity: 100,
            wrapper: [
                "env", "GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000", "valgrind", "--quiet",
                "--tool=callgrind", "--callgrind-out-file=\(output)",
            ])
        try transfer(megabytes << 20, through: pair, backend: site.backend)
        guard pair.process.stop(within: .seconds(30)) == .code(0), let text = ProcessFigures.read(output) else {
            throw BenchFault.proxyNotReady("callgrind", log: pair.process.standardError.text)
        }
        let profile = try CallgrindProfile(parsing: text)
        guard let binary = profile.own.keys.first(where: { $0.hasSuffix("/postern") }) else {
            throw BenchFault.proxyNotReady("callgrind", log: "no instruction of postern in \(output)")
        }
        return (profile.own[binary] ?? 0, profile.below(binary, except: ["libssl", "libcrypto"]))
    }

    private static func transfer(_ count: Int, through pair: ProxyPair, backend: Backend) throws {
        let before = backend.received.discardedBytes
        let client = try TCPConnection.connect(to: pair.address)
        try client.send([Backend.Mode.discard.rawValue])
        try client.send([UInt8](repeating: 0xa5, count: count), within: .seconds(120))
        let deadline = Deadline.within(.seconds(60))
        while backend.received.discardedBytes - before < count {
            guard !deadline.hasPassed else { throw BenchFault.nothingMoved("bulk under callgrind") }
            usleep(1_000)
        }
        client.close()
    }
}
