import EventLoop
import Foundation
import PosternTesting
import SVID
import Settings
import Testing

@testable import Control

@Suite("postern doctor")
struct DoctorTests {
    // MARK: What follows from the facts

    @Test("says why io_uring is refused, and what allows it")
    func ioURing() throws {
        func finding(
            _ fault: EventLoopFault?, disabled: Int? = 0, seccomp: Int = 0, _ choice: EventLoopChoice = .auto
        ) throws -> Finding {
            var facts = sound
            (facts.ioURingFault, facts.ioURingDisabled, facts.seccomp) = (fault, disabled, seccomp)
            let site = try Site { $0 + "\neventLoop: \(choice.rawValue)\n" }
            return try diagnosis(facts, site).finding(.ioURing)
        }
        let refused = EventLoopFault.ioURingRefused(errno: EPERM)
        #expect(try finding(nil).severity == .ok)
        #expect(try finding(refused, .epoll).severity == .ok)
        let filtered = try finding(refused, seccomp: 2)
        #expect(filtered.severity == .warning && filtered.message.contains("seccomp"))
        #expect(filtered.remedy?.contains("io_uring_enter") == true)
        let disabled = try finding(refused, disabled: 2, seccomp: 2)
        #expect(disabled.message.contains("kernel.io_uring_disabled is 2"))
        #expect(disabled.remedy?.contains("sysctl") == true)
        #expect(try finding(.ioURingLacks("provided buffers")).remedy?.contains("6.1") == true)
        let required = try finding(refused, seccomp: 2, .ioURing)
        #expect(required.severity == .error && required.remedy?.hasPrefix("`eventLoop: auto`") == true)
    }

    @Test("knows which settings take privileges")
    func privileges() throws {
        let site = try Site { text in
            let inbound = /mode: inbound\n    bind: 127.0.0.1:\d+/
            return "mark: 1337\n" + text.replacing(inbound) { _ in "mode: inbound\n    bind: 127.0.0.1:443" }
        }
        var facts = sound
        let without = try diagnosis(facts, site)
        #expect(try without.finding(.capabilities).severity == .error)
        #expect(try without.finding(.capabilities).message.contains("`mark` takes NET_ADMIN"))
        let ports = try without.finding(.ports)
        #expect(ports.severity == .error && ports.message.contains("443"), "\(ports)")
        facts.capabilities = CapabilitySet(bits: 1 << 12 | 1 << 10)
        let with = try diagnosis(facts, site)
        #expect(try with.finding(.capabilities).severity == .ok && with.finding(.ports).severity == .ok)
    }

    @Test("warns of a firewall without a tool only where a listener is transparent")
    func firewall() throws {
        var facts = sound
        facts.firewall.working = nil
        facts.firewall.reasons = ["nft: not installed"]
        #expect(try diagnosis(facts, Site()).finding(.firewall).severity == .ok)
        let finding = try Diagnosis(facts).finding(.firewall)
        #expect(finding.severity == .warning && finding.message.contains("nft: not installed"))
    }

    @Test("warns of an unsynchronized clock, and an impossible one is an error")
    func clock() throws {
        var facts = sound
        #expect(try Diagnosis(facts).finding(.clock).severity == .ok)
        facts.clockIsSynchronized = false
        #expect(try Diagnosis(facts).finding(.clock).severity == .warning)
        facts.now = 0
        let finding = try Diagnosis(facts).finding(.clock)
        #expect(finding.severity == .error && finding.message.contains("1970-01-01") && !Diagnosis(facts).isSound)
    }

    @Test("warns of a limit of open files that is too low for the connections")
    func descriptors() throws {
        var facts = sound
        facts.descriptors = 1_024
        let site = try Site { $0.replacing("{drainTimeout: 1s}", with: "{drainTimeout: 1s, connections: 600}") }
        let finding = try diagnosis(facts, site).finding(.descriptors)
        #expect(finding.severity == .warning && finding.remedy?.contains("LimitNOFILE=1200") == true, "\(finding)")
        facts.descriptors = 1_200
        #expect(try diagnosis(facts, site).finding(.descriptors).severity == .ok)
    }

    @Test("warns of a certificate that expires soon, and every flaw of the settings is a finding")
    func settings() throws {
        let site = try Site()
        var facts = sound
        let checked = CheckedSettings.load(path: site.settings, now: facts.now)
        let notAfter = try #require(checked.ready?.material?.notAfter)
        #expect(try Diagnosis(facts, checked).finding(.certificate).severity == .ok)
        facts.now = notAfter - 61
        let soon = try Diagnosis(facts, checked).finding(.certificate)
        #expect(soon.severity == .warning && soon.message.hasSuffix("in 1 minutes"), "\(soon)")
        let flawed = try Site { $0.replacing("workers: 2", with: "wrokers: 2\nlog: {level: loud}") }
        let flaws = try diagnosis(sound, flawed).findings.filter { $0.subject == .settings }
        #expect(flaws.count == 2 && flaws.allSatisfy { $0.severity == .error && $0.message.hasPrefix(flawed.settings) })
    }

    @Test(
        "says what is wrong with the socket of the Workload API",
        arguments: [(ENOENT, "mount"), (EACCES, "access"), (ECONNREFUSED, "start the agent"), (ETIMEDOUT, "agent")])
    func socket(errno: Int32, remedy: String) throws {
        let socket = IdentitySocket(address: .unix(path: "/run/agent.sock"), errno: errno)
        let finding = try Diagnosis(sound, socket: socket).finding(.identitySocket)
        #expect(finding.severity == .error && finding.message.hasPrefix("unix:/run/agent.sock: "))
        #expect(finding.remedy?.contains(remedy) == true)
    }

    @Test("reads privileges from the kernel's text, and unknown text is none")
    func status() {
        var facts = HostFacts()
        facts.take(
            status: "Name:\tpostern\nCapEff:\t0000000000003000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n")
        #expect(facts.seccomp == 2 && facts.noNewPrivileges)
        #expect(facts.capabilities.description == "NET_ADMIN, NET_RAW")
        facts.take(status: "CapEff:\tzz\nSeccomp:\t\n\u{0}")
        #expect(facts.seccomp == nil && !facts.noNewPrivileges && facts.capabilities.description == "none")
        #expect(CapabilitySet(bits: 0x1ff_ffff_ffff).description == "all")
        #expect(CapabilitySet(bits: 0x1ff_feff_ffff).description == "all but SYS_RESOURCE")
        #expect(CapabilitySet(bits: 1 << 63).description == "63")
    }

    // MARK: The command

    @Test("ends with 0 on a sound host, as text and as JSON")
    func command() throws {
        let site = try Site()
        let result = try Postern.run(["doctor", "--config", site.settings])
        #expect(result.status == 0 && result.complaints.isEmpty, "\(result)")
        for subject in Finding.Subject.allCases where ![.identitySocket, .environment].contains(subject) {
            #expect(result.output.contains(" \(subject.rawValue) "), "\(subject): \(result.output)")
        }
        let json = try Postern.run(["doctor", "--config", site.settings, "--json"])
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["ok"] as? Bool == true && (object?["findings"] as? [Any])?.count ?? 0 >= 11)
    }

    @Test("ends with 1 where the settings are flawed or the agent does not listen, and names the remedy")
    func failing() throws {
        let site = try Site()
        #expect(try Postern.run(["doctor", "--config", site.folder.file("none.yaml")]).status == 1)
        let text = try String(contentsOfFile: site.settings, encoding: .utf8)
        let listeners = try #require(text.range(of: "admin:"))
        let agent = try site.folder.write(
            "identity: {workloadAPI: \"unix:\(site.folder.file("agent.sock"))\"}\n"
                + text[listeners.lowerBound...],
            to: "agent.yaml")
        let result = try Postern.run(["doctor", "--config", agent])
        #expect(result.status == 1, "\(result)")
        #expect(
            result.output.contains("identity-socket") && result.output.contains("remedy: mount the socket"), "\(result)"
        )
    }

    /// Of a host on which everything works, for a user without capabilities.
    private var sound: HostFacts {
        var facts = HostFacts()
        facts.kernel = ("6.1.0", "x86_64")
        (facts.ioURingDisabled, facts.seccomp, facts.user) = (0, 0, 1_337)
        (facts.descriptors, facts.now, facts.clockIsSynchronized) = (1 << 20, wallClock, true)
        facts.firewall.working = "nft"
        return facts
    }

    private var wallClock: Int64 { Int64(Date().timeIntervalSince1970) }

    private func diagnosis(_ facts: HostFacts, _ site: Site) throws -> Diagnosis {
        Diagnosis(facts, CheckedSettings.load(path: site.settings, now: facts.now))
    }
}

extension Diagnosis {
    fileprivate func finding(_ subject: Finding.Subject) throws -> Finding {
        try #require(findings.first { $0.subject == subject })
    }
}
