public import CLoopback
import Glibc

/// What the kernel says about a running process and its descendants.
public struct ProcessFigures: Sendable {
    public let identifiers: [pid_t]

    /// The process itself and every process below it at this moment.
    public init(of root: pid_t) {
        var all = [root]
        var next = 0
        while next < all.count {
            for task in Self.entries(of: "/proc/\(all[next])/task") {
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
                + Self.entries(of: "/proc/\(identifier)/fd").count {
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
    /// The text of a small file; nil if it cannot be read.
    public static func read(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            // The kernel writes at most `count` bytes into the array.
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func entries(of folder: String) -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        // The stream is open until the end of the scope; an entry's name ends with a zero byte.
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    public static func linkTarget(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        // The call writes at most `count` bytes into the array.
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
