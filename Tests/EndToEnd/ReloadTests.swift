import Glibc
import Loopback
import Authority
import PosternTesting
import Testing

/// Settings and identity files that change under a running proxy, and under load.
@Suite("Reloading")
struct ReloadTests {
    @Test(
        "flawed settings are refused, reported once, and the old ones stay in use",
        arguments: EventLoopKind.allCases)
    func flawedSettings(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            var settings = SettingsFile(listeners: [.inbound(to: application.address)])
            settings.admin = true
            let proxy = try stage.proxy(settings)
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(client.echoes("one\n"))
            try proxy.replace(settings.text(loop: loop) + "\nnonsense: true\n", in: stage.folder)
            let flaw = "unknown key `nonsense`"
            try proxy.awaitLog(containing: flaw)
            // A forced reload finds the same flaw, which has been reported already.
            proxy.process.signal(SIGHUP)
            #expect(try proxy.metric("postern_settings_sound") == 0)
            #expect(try proxy.metric("postern_settings_reload_failures_total") == 1)
            let late = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(late.echoes("two\n") && client.echoes("three\n"))
            settings.limits = ["idleTimeout": "30m"]
            try proxy.reload(settings, in: stage.folder)
            #expect(try proxy.metric("postern_settings_sound") == 1)
            #expect(client.echoes("four\n") && late.echoes("five\n"))
            let told = proxy.process.standardError.text.split(separator: "\n").count { $0.contains(flaw) }
            #expect(told == 1)
            for client in [client, late] { client.process.stop() }
        }
    }

    @Test(
        "adding, removing and rebinding listeners does not disturb the connections of others",
        arguments: EventLoopKind.allCases)
    func listeners(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let (first, second, third) = try (
                TCPListener.freePort(), TCPListener.freePort(), TCPListener.freePort()
            )
            func inbound(_ name: String, _ port: UInt16) -> SettingsFile.Listener {
                .inbound(name, to: application.address, bind: "127.0.0.1:\(port)")
            }
            func client(_ port: UInt16) throws -> OpenSSLClient {
                try OpenSSLClient(to: SocketAddress(port: port), as: .client, folder: stage.folder)
            }
            var settings = SettingsFile(listeners: [inbound("a", first), inbound("b", second)])
            let proxy = try stage.proxy(settings)
            let a = try client(first)
            let b = try client(second)
            #expect(a.echoes("a1\n") && b.echoes("b1\n"))

            settings.listeners.append(inbound("c", third))
            try proxy.reload(settings, in: stage.folder)
            let c = try client(third)
            #expect(c.echoes("c1\n") && a.echoes("a2\n") && b.echoes("b2\n"))

            settings.listeners.remove(at: 1)
            try proxy.reload(settings, in: stage.folder)
            #expect(try proxy.accessLine { $0.listener == "b" }.reason == "listener-removed")
            #expect(b.process.awaitExit() == .code(1))
            #expect(throws: (any Error).self) { try TCPConnection.connect(to: SocketAddress(port: second)) }
            #expect(a.echoes("a3\n") && c.echoes("c2\n"))

            // The two that are left change places: their sockets stay, and so do their connections.
            settings.listeners = [inbound("a", third), inbound("c", first)]
            try proxy.reload(settings, in: stage.folder)
            let late = try client(third)
            #expect(late.echoes("late\n") && a.echoes("a4\n") && c.echoes("c3\n"))
            late.process.stop()
            #expect(try proxy.accessLine { $0.bytesToUpstream == 5 }.listener == "a")

            let taken = try TCPListener()
            settings.listeners[1] = inbound("c", taken.address.port)
            try proxy.replace(settings.text(loop: loop), in: stage.folder)
            let refusal = "cannot listen on \(taken.address)"
            try proxy.awaitLog(containing: refusal)
            let again = try client(first)
            #expect(again.echoes("again\n") && a.echoes("a5\n") && c.echoes("c4\n"))
            for client in [a, c, again] { client.process.stop() }
        }
    }

    /// How a set of identity files can be broken.
    enum Damage: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case certificateMissing, certificateEmpty, certificateHalfWritten, notACertificate, certificateExpired
        case keyMissing, keyOfAnother, keyHalfWritten, bundleEmpty, bundleOfAnother, otherTrustDomain

        var testDescription: String { rawValue }

        func apply(to identities: LivingIdentities) throws {
            let folder = identities.folder
            let stranger = try CertificateAuthority(trustDomain: "example.org")
            switch self {
            case .certificateMissing: unsafe unlink(folder.file("server.pem"))
            case .certificateEmpty: try folder.write("", to: "server.pem")
            case .certificateHalfWritten:
                let text = try identities.authority.issue(path: TestIdentities.serverPath).chainPEM
                try folder.write(String(text.prefix(text.count / 2)), to: "server.pem")
            case .notACertificate: try identities.put("hello\n", at: "server.pem")
            case .certificateExpired: try identities.issue("server", TestIdentities.serverPath, validity: .over)
            case .keyMissing: unsafe unlink(folder.file("server.key"))
            case .keyOfAnother: try identities.put(try stranger.issue(path: "/a").privateKeyPEM, at: "server.key")
            case .keyHalfWritten: try folder.write("-----BEGIN PRIVATE KEY-----\nMIGH", to: "server.key")
            case .bundleEmpty: try folder.write("", to: "bundle.pem")
            case .bundleOfAnother: try identities.write(bundleOf: [stranger])
            case .otherTrustDomain:
                let elsewhere = try CertificateAuthority(trustDomain: "elsewhere.test")
                try identities.issue("server", TestIdentities.serverPath, by: elsewhere)
            }
        }
    }

    @Test("a flawed set of identity files leaves the old one in use until it is repaired", arguments: Damage.allCases)
    func brokenSet(damage: Damage) throws {
        try onStage(.epoll) { stage in
            let identities = try LivingIdentities(stage.folder)
            try identities.issue("client", TestIdentities.clientPath)
            let application = try stage.application(.echo)
            var settings = SettingsFile(listeners: [.inbound(to: application.address)])
            settings.admin = true
            settings.partnerBundle = ""
            let proxy = try stage.proxy(settings)
            let early = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(early.echoes("one\n"))
            try damage.apply(to: identities)
            // A bundle that holds nothing leaves the last good one in use, and an SVID may be renewed beside it.
            try proxy.awaitLog(
                containing: damage == .bundleEmpty
                    ? "not taken, and all else is" : "reload refused, the old state stays")
            #expect(try proxy.metric("postern_identity_sound") == 0)
            let late = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(late.echoes("two\n") && early.echoes("three\n"))
            try identities.write(bundleOf: [identities.authority])
            try identities.issue("server", TestIdentities.serverPath)
            try proxy.logEvent("reloaded")
            #expect(eventually { (try? proxy.metric("postern_identity_sound")) == 1 })
            let last = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(last.echoes("four\n") && late.echoes("five\n") && early.echoes("six\n"))
            for client in [early, late, last] { client.process.stop() }
        }
    }

    /// How files are replaced.
    enum Manner: String, CaseIterable, Sendable, CustomTestStringConvertible {
        /// As the kubelet and cert-manager's CSI driver do: files behind links into a folder, whose link is swapped.
        case linkSwap
        case rename
        /// As spiffe-helper does: one after the other, in place.
        case inPlace
        case deleteAndCreate

        var testDescription: String { rawValue }
    }

    @Test(
        "SVID, key and bundle are renewed every second under load, and no connection fails", arguments: Manner.allCases,
        EventLoopKind.allCases)
    func rotationUnderLoad(manner: Manner, loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let volume = try RotatedVolume(manner, in: stage)
            var settings = SettingsFile(listeners: [
                .inbound("in", upstream: "{builtin: echo}", policy: "callers")
            ])
            settings.partnerBundle = ""
            settings.folder = volume.path
            let proxy = try stage.proxy(settings)
            let run = try LoadRun(
                "connect", to: "\(proxy.address("in"))",
                LoadRun.identity() + ["--connections", "4", "--duration", "4s", "--warmup", "50ms"], on: stage)
            let held = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(held.echoes("before\n"))
            for number in 1...4 {
                try volume.rotate()
                try proxy.awaitReload()
                #expect(held.echoes("still here \(number)\n"))
                pauseMilliseconds(600)
            }
            let (exit, line) = try run.line()
            #expect(exit == .code(0) && line.errors.total == 0, "\(line.errors)")
            #expect(line.requests > 100)
            held.process.stop()
        }
    }

    @Test("SIGHUP reloads files whose change inotify did not report")
    func hangup() throws {
        try onStage(.epoll) { stage in
            let proxy = try stage.proxy(
                SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}", policy: "callers")]))
            proxy.process.signal(SIGHUP)
            let identities = try LivingIdentities(stage.folder)
            proxy.process.signal(SIGHUP)
            try proxy.awaitReload()
            try identities.issue("client", TestIdentities.clientPath)
            let client = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(client.echoes("one\n"))
            client.process.stop()
        }
    }
}

/// The server's identity in a folder of its own, replaced as a whole again and again.
private final class RotatedVolume {
    let path: String
    private let manner: ReloadTests.Manner
    private let identities: LivingIdentities
    private var number = 0

    init(_ manner: ReloadTests.Manner, in stage: Stage) throws {
        self.manner = manner
        identities = try LivingIdentities(stage.folder)
        try identities.issue("client", TestIdentities.clientPath)
        path = stage.folder.file("volume")
        try #require(unsafe mkdir(path, 0o700) == 0)
        if manner == .linkSwap {
            for name in Self.names { try #require(unsafe symlink("..data/\(name)", "\(path)/\(name)") == 0) }
        }
        try rotate()
    }

    deinit {
        for name in Self.names + ["..data"] { unsafe unlink("\(path)/\(name)") }
        for version in 1...max(1, number) { remove(version) }
        unsafe rmdir(path)
    }

    /// Issues another SVID and writes it with a bundle that has another root beside the old one.
    func rotate() throws {
        number += 1
        let issued = try identities.authority.issue(path: TestIdentities.serverPath)
        let other = try CertificateAuthority(trustDomain: "example.org")
        let texts = [
            issued.chainPEM, issued.privateKeyPEM, identities.authority.bundlePEM + other.bundlePEM,
        ]
        let folder = manner == .linkSwap ? "\(path)/..\(number)" : path
        if manner == .linkSwap { try #require(unsafe mkdir(folder, 0o700) == 0) }
        for (name, text) in zip(Self.names, texts) {
            switch manner {
            case .linkSwap, .inPlace: try write(text, "\(folder)/\(name)")
            case .rename:
                try write(text, "\(folder)/\(name).next")
                try #require(unsafe rename("\(folder)/\(name).next", "\(folder)/\(name)") == 0)
            case .deleteAndCreate:
                unsafe unlink("\(folder)/\(name)")
                try write(text, "\(folder)/\(name)")
            }
        }
        guard manner == .linkSwap else { return }
        try #require(unsafe symlink("..\(number)", "\(path)/..data_tmp") == 0)
        try #require(unsafe rename("\(path)/..data_tmp", "\(path)/..data") == 0)
        if number > 1 { remove(number - 1) }
    }

    private func remove(_ version: Int) {
        for name in Self.names { unsafe unlink("\(path)/..\(version)/\(name)") }
        unsafe rmdir("\(path)/..\(version)")
    }

    private func write(_ text: String, _ path: String) throws {
        let file = unsafe try #require(fopen(path, "w"))
        // The text is a C string for the length of the call; the file is closed once.
        unsafe fputs(text, file)
        unsafe fclose(file)
    }

    private static let names = ["server.pem", "server.key", "bundle.pem"]
}
