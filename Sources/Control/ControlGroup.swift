import System

/// The limits of this process's cgroup (v1 and v2).
enum ControlGroup {
    /// The contents of the files with this name, from the root down to this process's cgroup (v2), for the limits of
    /// every ancestor apply. Inside a container the cgroup's own path may be invisible; the mounted root is then the
    /// cgroup.
    static func unified(_ name: String) -> [String] {
        let group = FileContents.text(path: "/proc/self/cgroup").map(unifiedGroup(membership:)) ?? "/"
        return unifiedFiles(name, group: group).compactMap { FileContents.text(path: $0) }
    }

    /// The contents of the files with this name, from the root down to this process's cgroup in a controller's
    /// hierarchy (v1).
    static func legacyLimits(_ controller: String, _ name: String) -> [String] {
        let group = FileContents.text(path: "/proc/self/cgroup").map { legacyGroup(controller, membership: $0) } ?? "/"
        return files(name, below: "/sys/fs/cgroup/\(controller)", group: group).compactMap {
            FileContents.text(path: $0)
        }
    }

    /// The path of the `0::` line of `/proc/self/cgroup` (v2).
    static func unifiedGroup(membership: String) -> String {
        let line = membership.split(separator: "\n").first { $0.hasPrefix("0::") }
        return line.map { String($0.dropFirst(3)) } ?? "/"
    }

    /// The path of the line of `/proc/self/cgroup` that names the controller, such as `4:memory:/pod` (v1).
    static func legacyGroup(_ controller: String, membership: String) -> String {
        for line in membership.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[1].split(separator: ",").contains(Substring(controller)) else { continue }
            return String(parts[2])
        }
        return "/"
    }

    static func unifiedFiles(_ name: String, group: String) -> [String] {
        files(name, below: "/sys/fs/cgroup", group: group)
    }

    private static func files(_ name: String, below root: String, group: String) -> [String] {
        var path = root
        var files = ["\(path)/\(name)"]
        for part in group.split(separator: "/") where part != ".." {
            path += "/\(part)"
            files.append("\(path)/\(name)")
        }
        return files
    }
}
