import Glibc
import Loopback
import Authority
import PosternTesting
import Testing

/// The table of ends in Logs.md: what the application sees, and what the peer sees.
@Suite("Ends")
struct EndsTests {
    enum Cause: String, CaseIterable, Sendable {
        case policyChanged = "policy-changed"
        case routeRemoved = "route-removed"
        case bundleRemoved = "bundle-removed"
        case listenerRemoved = "listener-removed"
        case maxConnectionAge = "max-connection-age"
        case idleTimeout = "idle-timeout"
        case drained
        case peerTruncated = "peer-truncated"

        /// The fatal alert that says so. `user_canceled` is none, and s_client says nothing of it: it misses
        /// close_notify.
        var alert: Int? {
            switch self {
            case .policyChanged, .routeRemoved, .bundleRemoved: 49
            case .listenerRemoved, .maxConnectionAge, .idleTimeout, .drained, .peerTruncated: nil
            }
        }

        func settings(_ application: SocketAddress) -> SettingsFile {
            var listener = SettingsFile.Listener.inbound(to: application)
            if self == .maxConnectionAge {
                listener.text = listener.text.replacing(
                    "mode: inbound", with: "mode: inbound\n    maxConnectionAge: 1500ms")
            }
            var limits = ["drainTimeout": "300ms"]
            if self == .idleTimeout { limits["idleTimeout"] = "1s" }
            return SettingsFile(listeners: [listener], limits: limits)
        }

        /// Settings that no longer permit the connection; nil if it ends otherwise.
        func changed(_ settings: SettingsFile, _ application: SocketAddress) -> SettingsFile? {
            var changed = settings
            switch self {
            case .policyChanged: changed.policies = settings.policies.replacing("sa/client", with: "sa/nobody")
            case .routeRemoved:
                changed.listeners = [.inbound(to: application, match: "{sni: [only.this.test]}")]
            case .bundleRemoved: return nil
            case .listenerRemoved: changed.listeners = [.inbound("another", to: application)]
            default: return nil
            }
            return changed
        }
    }

    @Test(
        "every abortive end looks abortive to both sides, with and without a partial record in flight",
        arguments: EventLoopKind.allCases, Cause.allCases)
    func ends(loop: EventLoopKind, cause: Cause) throws {
        for holdsBack in cause == .peerTruncated ? [false] : [false, true] {
            try onStage(loop) { stage in
                let identities = try LivingIdentities(stage.folder)
                try identities.issue("client", TestIdentities.clientPath)
                let seen = Monitor<(bytes: [UInt8], end: ConnectionEnd)?>(nil)
                let application = try stage.application(
                    Application.Behaviour { connection in
                        var all: [UInt8] = []
                        while true {
                            do throws(SocketFault) {
                                let bytes = try connection.receive(within: .seconds(30))
                                guard !bytes.isEmpty else { break }
                                all += bytes
                                try connection.send(bytes)
                            } catch {
                                return seen.update { [all] in $0 = (all, error == .reset ? .reset : .stillOpen) }
                            }
                        }
                        seen.update { [all] in $0 = (all, .finished) }
                    })
                let settings = cause.settings(application.address)
                let proxy = try stage.proxy(settings)
                let relay = try stage.keep(Relay(to: proxy.address("in"), .plain))
                let client = try OpenSSLClient(to: relay.address, named: "client", folder: stage.folder)
                #expect(client.echoes("one line\n"))
                if holdsBack {
                    relay.hold(after: 20)
                    client.send(String(repeating: "an upload of which an attacker holds the rest back ", count: 20))
                }
                switch cause {
                case .bundleRemoved:
                    let next = try CertificateAuthority(trustDomain: "example.org")
                    try identities.issue("server", TestIdentities.serverPath, by: next)
                    try identities.write(bundleOf: [next])
                case .drained: proxy.process.signal(SIGTERM)
                case .peerTruncated: client.process.stop()
                default: break
                }
                if let changed = cause.changed(settings, application.address) {
                    try proxy.reload(changed, in: stage.folder)
                }
                #expect(try proxy.accessLine { $0.reason == cause.rawValue }.bytesToUpstream == 9)
                let end = try #require(seen.wait(within: .seconds(10)) { $0 })
                #expect(end.end == .reset, "the application takes what came for all there was")
                #expect(end.bytes == Array("one line\n".utf8))
                if cause != .peerTruncated {
                    // What the relay holds back it throws away with a reset, which may overtake the alert.
                    if !holdsBack { #expect(client.alertAtEnd() == cause.alert) }
                    #expect(client.process.awaitExit() == .code(1))
                }
                client.process.stop()
                if cause == .drained { #expect(proxy.process.awaitExit() == .code(3)) }
            }
        }
    }
}
