import Glibc

/// The system's users and groups (getpwnam_r(3), getgrnam_r(3)). May block where they come from a directory service.
public enum Accounts {
    /// Nil if the system has no such user.
    public static func user(named name: String) -> UInt32? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        return unsafe withBuffer { memory in
            // Safe: `entry` points into `memory`, of which nothing is read after the call but the number.
            let status = unsafe getpwnam_r(name, &entry, memory.baseAddress!, memory.count, &found)
            return unsafe (status, found == nil ? nil : entry.pw_uid)
        }
    }

    /// Nil if the system has no such group.
    public static func group(named name: String) -> UInt32? {
        var entry = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        return unsafe withBuffer { memory in
            // Safe: as above.
            let status = unsafe getgrnam_r(name, &entry, memory.baseAddress!, memory.count, &found)
            return unsafe (status, found == nil ? nil : entry.gr_gid)
        }
    }

    /// Calls with more and more memory as long as that does not suffice: a group may have many members.
    private static func withBuffer(_ body: (UnsafeMutableBufferPointer<CChar>) -> (Int32, UInt32?)) -> UInt32? {
        var count = 4_096
        while count <= 4 << 20 {
            let memory = UnsafeMutableBufferPointer<CChar>.allocate(capacity: count)
            defer { unsafe memory.deallocate() }
            let (status, number) = unsafe body(memory)
            guard status == ERANGE else { return number }
            count *= 4
        }
        return nil
    }
}
