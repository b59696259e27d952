public import CLoopback
import Glibc
import PosternTesting
import System

/// What the kernel says about a running process and its descendants.
public struct ProcessFigures: Sendable {
    public let identifiers: [pid_t]

    /// The process itself and every process below it at this moment.
    public init(of root: pid_t) {
        var all = [root]
        var next = 0
        while next < all.count {
            for task in entries(ofFolder: "/proc/\(all[next])/task") {
                let children = Self.read("/proc/\(all[next])/task/\(task)/children") ?? ""
                all += children.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
            }
            next += 1
        }
        identifiers = all
    }

    /// User and system time so far, in nanoseconds.
    public var cpuNanoseconds: Int64 {
        identifiers.reduce(0) { sum, identifier in
            var clock = clockid_t()
            var time = timespec()
            // Pointers to locals.
            guard unsafe clock_getcpuclockid(identifier, &clock) == 0, unsafe clock_gettime(clock, &time) == 0 else {
                return sum
            }
            return sum + Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }
    }

    /// Resident memory in KiB: all of it, and the anonymous part that no other process shares.
    public var memoryKiB: (resident: Int, anonymous: Int) {
        identifiers.reduce((0, 0)) { sum, identifier in
            (sum.0 + statusKiB("VmRSS", of: identifier), sum.1 + statusKiB("RssAnon", of: identifier))
        }
    }

    /// Open descriptors that are sockets.
    public var socketCount: Int {
        identifiers.reduce(0) { sum, identifier in
            sum
                + entries(ofFolder: "/proc/\(identifier)/fd").count {
                    Self.linkTarget("/proc/\(identifier)/fd/\($0)")?.hasPrefix("socket:") ?? false
                }
        }
    }

    private func statusKiB(_ key: String, of identifier: pid_t) -> Int {
        for line in (Self.read("/proc/\(identifier)/status") ?? "").split(separator: "\n")
        where line.hasPrefix(key + ":") {
            return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
        }
        return 0
    }
}

extension ProcessFigures {
    /// The text of a file of at most 64 MiB; nil if it cannot be read.
    public static func read(_ path: String) -> String? { FileContents.text(path: path, limitBytes: 64 << 20) }

    public static func linkTarget(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        // The call writes at most `count` bytes into the array.
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
