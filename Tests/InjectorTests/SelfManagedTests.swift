import Authority
import KubernetesAPI
import Testing

@testable import Injector

@Suite("A certificate that the injector makes")
struct SelfManagedTests {
    private static let path = ObjectPath(.secrets, namespace: "postern-system", name: "tls")
    private static let hosts = ["postern-injector.postern-system.svc"]
    private static let day: Int64 = 86_400

    private func secret(at now: Int64, keeping: [[UInt8]] = [], old: JSONValue? = nil) throws -> JSONValue {
        try SharedCertificate.secret(
            named: Self.path, hosts: Self.hosts, lifetimeSeconds: 90 * Self.day, now: now, keeping: keeping,
            replacing: old)
    }

    private func fit(_ secret: JSONValue, now: Int64) throws -> (SharedCertificate, [[UInt8]]) {
        guard case .fit(let shared, let authorities) = SharedCertificate.state(of: secret, hosts: Self.hosts, now: now)
        else {
            Issue.record("\(SharedCertificate.state(of: secret, hosts: Self.hosts, now: now))")
            throw CancellationError()
        }
        return (shared, authorities)
    }

    @Test(
        "is for the webhook's names, is renewed when a third of its time is left, and is trusted by what is beside it")
    func life() throws {
        let now: Int64 = 1_800_000_000
        let (shared, authorities) = try fit(try secret(at: now), now: now)
        #expect(shared.issuedAt == now && shared.renewsAt == now + 60 * Self.day && authorities.count == 1)
        #expect(shared.serving.notAfter == now + 90 * Self.day && shared.serving.chain.count == 1)
    }

    @Test("leaves those before it trusted until they expire, four at most, and other fields of the Secret as they are")
    func authorities() throws {
        var now: Int64 = 1_800_000_000
        var object = try secret(at: now)
        object["metadata"]?["resourceVersion"] = "7"
        object["metadata"]?["annotations"] = ["a": "b"]
        for count in [2, 3, 4, 4] {
            now += 20 * Self.day
            let (_, authorities) = try fit(object, now: now)
            object = try secret(at: now, keeping: authorities, old: object)
            #expect(try fit(object, now: now).1.count == count)
        }
        #expect(object["metadata"]?["resourceVersion"] == "7" && object["metadata"]?["annotations"] == ["a": "b"])
        #expect(try fit(object, now: now + 80 * Self.day).1.count == 1)
    }

    @Test("of somebody else is not touched, and one that cannot be served is made anew")
    func states() throws {
        let now: Int64 = 1_800_000_000
        let sound = try secret(at: now)
        var foreign = sound
        foreign["metadata"]?["labels"] = ["app.kubernetes.io/managed-by": "Helm"]
        var unlabelled = sound
        unlabelled["metadata"]?["labels"] = nil
        for object in [foreign, unlabelled, [:], ["metadata": "x"], .null] {
            guard case .foreign = SharedCertificate.state(of: object, hosts: Self.hosts, now: now) else {
                Issue.record("it is taken for the injector's")
                continue
            }
        }
        let other = try secret(at: now)
        func changed(_ change: (inout JSONValue) -> Void) -> JSONValue {
            var object = sound
            change(&object)
            return object
        }
        let flawed = [
            changed { $0["data"] = nil }, changed { $0["data"] = [:] },
            changed { $0["data"]?["tls.key"] = other["data"]?["tls.key"] },
            changed { $0["data"]?["ca.crt"] = other["data"]?["ca.crt"] }, changed { $0["data"]?["ca.crt"] = "" },
            changed { $0["data"]?["tls.crt"] = "!" }, changed { $0["data"]?["tls.crt"] = sound["data"]?["ca.crt"] },
        ]
        for object in flawed {
            guard case .unfit = SharedCertificate.state(of: object, hosts: Self.hosts, now: now) else {
                Issue.record("it is served: \(object)")
                continue
            }
        }
        for (hosts, time) in [(["other.svc"], now), (Self.hosts, now + 91 * Self.day), (Self.hosts, now - 1_000)] {
            guard case .unfit = SharedCertificate.state(of: sound, hosts: hosts, now: time) else {
                Issue.record("it is served for \(hosts) at \(time)")
                continue
            }
        }
    }

    @Test("is made known to each webhook that does not know it, and to no other that took its place")
    func patches() {
        let configuration: JSONValue = [
            "webhooks": [
                ["name": "a", "clientConfig": ["caBundle": "new"]], ["name": "b", "clientConfig": ["caBundle": "old"]],
                ["name": "c", "clientConfig": ["service": ["name": "x"]]],
            ]
        ]
        #expect(
            WebhookBundle.patch(configuration, bundle: "new") == [
                ["op": "test", "path": "/webhooks/1/name", "value": "b"],
                ["op": "add", "path": "/webhooks/1/clientConfig/caBundle", "value": "new"],
                ["op": "test", "path": "/webhooks/2/name", "value": "c"],
                ["op": "add", "path": "/webhooks/2/clientConfig/caBundle", "value": "new"],
            ])
        #expect(WebhookBundle.patch(["webhooks": [["clientConfig": ["caBundle": "new"]]]], bundle: "new") == nil)
        #expect(WebhookBundle.patch([:], bundle: "new") == nil)
    }

    @Test("that is lost leaves those trusted that the API server knows")
    func known() throws {
        let now: Int64 = 1_800_000_000
        let bundle = try #require(try secret(at: now)["data"]?["ca.crt"])
        let configuration: JSONValue = [
            "webhooks": [
                ["clientConfig": ["caBundle": bundle]], ["clientConfig": ["caBundle": bundle]],
                ["clientConfig": ["caBundle": "!"]], ["clientConfig": [:]],
            ]
        ]
        #expect(WebhookBundle.authorities(of: configuration, now: now).count == 1)
        #expect(WebhookBundle.authorities(of: configuration, now: now + 91 * Self.day).isEmpty)
        #expect(WebhookBundle.authorities(of: [:], now: now).isEmpty)
    }
}
