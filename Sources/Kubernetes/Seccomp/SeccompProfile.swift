/// A seccomp profile for the proxy's container in which io_uring is allowed, as JSON of the OCI runtime specification
/// (config-linux, "Seccomp"), which Kubernetes takes as a profile of type Localhost.
///
/// It is an allow list: everything else fails with ENOSYS, as with an older kernel, so that libraries fall back instead
/// of giving up. What a ring does is not seen by seccomp; hence RuntimeDefault refuses io_uring, and hence
/// sockets of other families are refused here only to who calls socket(2).
public enum SeccompProfile {
    public static var json: String {
        """
        {
          "defaultAction": "SCMP_ACT_ERRNO",
          "defaultErrnoRet": 38,
          "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
          "syscalls": [
            {
              "names": [
        \(names)
              ],
              "action": "SCMP_ACT_ALLOW"
            },
            {
              "names": ["clone"],
              "action": "SCMP_ACT_ALLOW",
              "args": [{"index": 0, "value": \(newNamespaces), "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]
            },
        \(families.map(rule).joined(separator: ",\n"))
          ]
        }

        """
    }

    private static func rule(ofFamily family: Int) -> String {
        """
            {
              "names": ["socket"],
              "action": "SCMP_ACT_ALLOW",
              "args": [{"index": 0, "value": \(family), "valueTwo": 0, "op": "SCMP_CMP_EQ"}]
            }
        """
    }

    private static var names: String {
        groups.map { names in
            var lines: [String] = []
            var line = ""
            for name in names {
                if !line.isEmpty, line.utf8.count + name.utf8.count > 90 {
                    lines.append(line + ",")
                    line = ""
                }
                line += line.isEmpty ? "          \"\(name)\"" : ", \"\(name)\""
            }
            return (lines + [line]).joined(separator: "\n")
        }.joined(separator: ",\n")
    }

    /// Flags of clone(2) that make namespaces: CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET. The flags of
    /// clone3(2) are in memory, where no filter sees them: it is not in the list, and glibc calls clone(2) instead.
    private static let newNamespaces = 0x7E02_0000
    /// AF_UNIX, AF_INET, AF_INET6, and AF_NETLINK for the resolver.
    private static let families = [1, 2, 10, 16]

    private static let groups = [
        // The event loops.
        ["io_uring_setup", "io_uring_enter", "io_uring_register"],
        [
            "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select",
            "pselect6",
        ],
        ["eventfd2", "signalfd4", "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "timerfd_create"],
        ["timerfd_settime"],
        // Sockets.
        ["socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown", "getsockname", "getpeername"],
        ["setsockopt", "getsockopt", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg", "ioctl"],
        // Files: settings, certificates, logs, the files of Unix sockets.
        ["read", "readv", "pread64", "write", "writev", "open", "openat", "close", "close_range", "lseek", "fcntl"],
        ["stat", "fstat", "lstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2"],
        ["readlink", "readlinkat", "getdents64", "flock", "fsync", "fdatasync", "rename", "renameat", "renameat2"],
        ["unlink", "unlinkat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "umask", "getcwd"],
        ["pipe", "pipe2", "dup", "dup2", "dup3", "sendfile"],
        // Memory.
        ["brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "mincore", "membarrier"],
        // Threads and their signals.
        [
            "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "futex", "futex_waitv", "exit",
            "exit_group",
        ],
        ["sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler"],
        ["getpriority", "setpriority", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait"],
        ["rt_sigpending", "rt_sigsuspend", "sigaltstack", "restart_syscall", "kill", "tkill", "tgkill", "arch_prctl"],
        // Time.
        ["clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "clock_adjtime"],
        ["adjtimex"],
        // About this process and this host.
        ["getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getgroups", "getresuid"],
        ["getresgid", "getpgrp", "getpgid", "getsid", "getrlimit", "setrlimit", "prlimit64", "getrusage", "times"],
        ["sysinfo", "uname", "getrandom", "getcpu", "capget", "prctl"],
        // `postern await -- COMMAND` and what `postern doctor` tries.
        ["execve", "vfork", "fork", "wait4", "waitid", "setpgid", "setsid"],
        // What the container's runtime does between the filter and the program; without privileges it gives none.
        ["capset", "setuid", "setgid", "setgroups", "setresuid", "setresgid", "chdir", "fchdir", "seccomp", "openat2"],
    ]
}
