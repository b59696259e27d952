import Glibc

/// The process at the other end of a Unix socket, as it was when it connected (unix(7), SO_PEERCRED and SO_PEERGROUPS).
public struct LocalCaller: Hashable, Sendable {
    public let process: Int32
    public let user: UInt32
    /// Its effective group first, then the supplementary ones.
    public let groups: [UInt32]

    public init(process: Int32, user: UInt32, groups: [UInt32]) {
        self.process = process
        self.user = user
        self.groups = groups
    }

    /// Nil if the socket is none of Unix, or its peer is unknown.
    public init?(of descriptor: Int32) {
        // struct ucred: process, user and group. An unknown peer's user is the largest number.
        var credentials: (Int32, UInt32, UInt32) = (0, .max, .max)
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        // Safe: the kernel writes at most `length` bytes into the three numbers.
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0,
            Int(length) == MemoryLayout.size(ofValue: credentials), credentials.1 != .max
        else { return nil }
        process = credentials.0
        user = credentials.1
        groups = [credentials.2] + Self.supplementaryGroups(descriptor)
    }

    /// None where the kernel does not tell (before 4.13): a caller is then known by its user and effective group alone.
    private static func supplementaryGroups(_ descriptor: Int32) -> [UInt32] {
        var groups = [gid_t](repeating: 0, count: groupsAtMost)
        var length = socklen_t(groups.count * MemoryLayout<gid_t>.size)
        // Safe: the array has `length` bytes, which the kernel does not exceed.
        guard unsafe getsockopt(descriptor, SOL_SOCKET, peerGroupsOption, &groups, &length) == 0 else { return [] }
        return Array(groups.prefix(Int(length) / MemoryLayout<gid_t>.size))
    }

    /// More than any process of ours is in; the kernel's own limit is 65,536.
    private static let groupsAtMost = 1_024
    /// SO_PEERGROUPS, which Swift's Glibc does not show.
    private static let peerGroupsOption: Int32 = 59
}
