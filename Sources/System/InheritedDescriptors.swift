import Glibc

/// The sockets that a service manager passes on at the start: descriptors from 3 on, and their names, as in
/// sd_listen_fds(3).
public struct InheritedDescriptors: Equatable, Sendable {
    public struct Entry: Equatable, Sendable {
        public let number: Int32
        /// FileDescriptorName= of the socket unit; without it systemd passes the unit's name.
        public let name: String

        public init(number: Int32, name: String) {
            self.number = number
            self.name = name
        }
    }

    public let entries: [Entry]

    public static let none = InheritedDescriptors(entries: [])

    public init(entries: [Entry]) { self.entries = entries }

    /// Reads the variables; those that are meant for another process count as none.
    ///
    /// - Parameter process: the identifier of this process.
    init(count: String?, process identifier: String?, names: String?, process: pid_t) throws(InheritanceFlaw) {
        guard let count, let identifier else {
            entries = []
            return
        }
        guard let meant = pid_t(identifier), meant > 0 else { throw .notANumber("LISTEN_PID", identifier) }
        guard meant == process else {
            entries = []
            return
        }
        guard let number = Int32(count), (0...Self.most).contains(number) else {
            throw .notANumber("LISTEN_FDS", count)
        }
        let given = names.map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) }
        if let given, number > 0, given.count != number { throw .names(given.count, sockets: Int(number)) }
        entries = (0..<number).map { Entry(number: Self.first + $0, name: given?[Int($0)] ?? "unknown") }
    }

    /// Takes over the sockets that this process was started with, closes them on exec, and removes the variables: no
    /// child takes them for its own. Call it while there is one thread.
    public static func take() throws(InheritanceFlaw) -> InheritedDescriptors {
        let (count, identifier, names) = (value("LISTEN_FDS"), value("LISTEN_PID"), value("LISTEN_FDNAMES"))
        // Safe: nobody else reads the environment yet.
        for name in ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] { unsafe unsetenv(name) }
        let taken = try InheritedDescriptors(count: count, process: identifier, names: names, process: getpid())
        for entry in taken.entries {
            guard fcntl(entry.number, F_SETFD, FD_CLOEXEC) == 0 else { throw .notOpen(entry.number) }
        }
        return taken
    }

    private static func value(_ name: String) -> String? {
        // Safe: the value is copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// SD_LISTEN_FDS_START.
    private static let first: Int32 = 3
    private static let most: Int32 = 1_024
}

/// Why the variables of socket activation make no sense.
public enum InheritanceFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case notANumber(String, String)
    case names(Int, sockets: Int)
    case notOpen(Int32)

    public var description: String {
        switch self {
        case .notANumber(let name, let text): "\(name)=\(text) is no number that a service manager would set"
        case .names(let count, let sockets): "LISTEN_FDNAMES has \(count) names, and LISTEN_FDS \(sockets) sockets"
        case .notOpen(let number): "LISTEN_FDS counts the descriptor \(number), which is not open"
        }
    }
}
