import Foundation
import Kubernetes
import Testing

@Suite("The seccomp profile")
struct SeccompProfileTests {
    private struct Profile: Decodable {
        struct Rule: Decodable {
            struct Argument: Decodable {
                let index: Int
                let value: UInt64
                let op: String
            }

            let names: [String]
            let action: String
            let args: [Argument]?
        }

        let defaultAction: String
        let syscalls: [Rule]
    }

    @Test("it allows what the proxy calls, io_uring too, and nothing by which a program leaves its container")
    func contents() throws {
        let profile = try JSONDecoder().decode(Profile.self, from: Data(SeccompProfile.json.utf8))
        #expect(profile.defaultAction == "SCMP_ACT_ERRNO")
        #expect(profile.syscalls.allSatisfy { $0.action == "SCMP_ACT_ALLOW" })
        let free = profile.syscalls.filter { $0.args == nil }.flatMap(\.names)
        #expect(Set(free).count == free.count, "a name is there twice")
        for name in ["io_uring_setup", "io_uring_enter", "io_uring_register", "accept4", "epoll_pwait2", "execve"] {
            #expect(free.contains(name))
        }
        // clone3 hides its flags from a filter; socket and clone are allowed by their arguments only.
        for name in [
            "clone3", "clone", "socket", "unshare", "setns", "mount", "open_tree", "move_mount", "pivot_root", "chroot",
            "ptrace", "process_vm_readv", "process_vm_writev", "bpf", "perf_event_open", "userfaultfd", "keyctl",
            "add_key", "init_module", "finit_module", "kexec_load", "reboot", "personality", "open_by_handle_at",
            "mknod",
            "mknodat", "swapon", "quotactl", "settimeofday", "clock_settime", "iopl", "ioperm",
        ] {
            #expect(!free.contains(name), "\(name)")
        }
        let families = profile.syscalls.filter { $0.names == ["socket"] }.flatMap { $0.args ?? [] }
        #expect(families.allSatisfy { $0.index == 0 && $0.op == "SCMP_CMP_EQ" })
        #expect(families.map(\.value) == [1, 2, 10, 16])
        #expect(SeccompProfile.json.split(separator: "\n").allSatisfy { $0.utf8.count <= 120 })
    }

    @Test("an annotation of the pod names it on the node, and it is the proxy's alone")
    func annotation() throws {
        let injection = try #require(Injection(image: "postern:1", version: "1"))
        func pod(_ profile: String) -> [UInt8] {
            let annotations = "{postern.dev/seccomp-profile: '\(profile)'}"
            let text = "kind: Pod\nmetadata: {annotations: \(annotations)}\nspec:\n  containers: [{name: a}]\n"
            return Array(("apiVersion: v1\n" + text).utf8)
        }
        let text = String(decoding: try injection.inject(pod("profiles/p.json"), file: "m").text, as: UTF8.self)
        #expect(text.components(separatedBy: "type: RuntimeDefault").count == 3, "\(text)")
        #expect(
            text.contains("type: Localhost\n          localhostProfile: \"profiles/p.json\"")
                || text.contains("type: Localhost\n          localhostProfile: profiles/p.json"), "\(text)")
        for path in ["/profiles/p.json", "../p.json", "a/../p.json", "a//p.json", "", "a b.json", "a/"] {
            #expect(throws: InjectionRefusal.self, "\(path)") { try injection.inject(pod(path), file: "m") }
        }
    }
}
