import Kubernetes
import Testing

/// Without the limits these take minutes, or give a policy that no settings take.
@Suite("What is too much to import")
struct PolicyImportLimitTests {
    @Test("policies that name a long list of networks again and again")
    func networks() throws {
        let networks = (0..<512).map { "{cidr: 10.\($0 / 256).\($0 % 256).0/24}" }.joined(separator: ", ")
        let yaml =
            LinkerdImportTests.object("NetworkAuthentication", "net", "networks: [\(networks)]")
            + Self.policies(250, "{name: net, kind: NetworkAuthentication, group: policy.linkerd.io}")
        #expect(try Self.flaws(yaml).first?.contains("the policies have too many values: import fewer") == true)
    }

    @Test("policies that name a long list of identities again and again")
    func identities() throws {
        let identities = (0..<512).map { "a\($0).b.serviceaccount.identity.linkerd.cluster.local" }
        let yaml =
            LinkerdImportTests.object(
                "MeshTLSAuthentication", "mesh", "identities: [\(identities.joined(separator: ", "))]")
            + Self.policies(250, "{name: mesh, kind: MeshTLSAuthentication, group: policy.linkerd.io}")
        #expect(try Self.flaws(yaml).first?.contains("the policies have too many values: import fewer") == true)
    }

    @Test("policies that make more rules than are imported")
    func rules() throws {
        let flaws = try Self.flaws(Self.policies(513, "{name: webapp, kind: ServiceAccount}"))
        #expect(flaws.first?.contains("the policies make more than 512 rules") == true)
    }

    @Test("networks without many others, of which too much is left")
    func holes() throws {
        let holes = (0..<512).map { "'\(String($0 * 64, radix: 16))::/16'" }.joined(separator: ", ")
        let yaml =
            LinkerdImportTests.object("NetworkAuthentication", "net", "networks: [{cidr: '::/0', except: [\(holes)]}]")
            + Self.policies(1, "{name: net, kind: NetworkAuthentication, group: policy.linkerd.io}")
        #expect(try Self.flaws(yaml).first?.contains("too many blocks: name the networks without `except`") == true)
    }

    @Test("policies that name a large selector by an alias")
    func aliases() throws {
        let labels = (0..<5_000).map { "l\($0): a" }.joined(separator: ", ")
        let list = "apiVersion: v1\nkind: List\nselectors: &a {matchLabels: {app: other, \(labels)}}\nitems:\n"
        let policies = (0..<200).map {
            "- {apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: p\($0)}, "
                + "spec: {selector: *a}}\n"
        }
        let flaws = try Importing().flaws(list + policies.joined())
        #expect(flaws == ["m.yaml:1:1: error: aliases stand for more than 1000000 values: write them out"])
    }

    @Test("a policy that is larger than settings may be")
    func bytes() throws {
        let long = String(repeating: "n", count: 240)
        let names = (0..<512).map { "\(long)\($0)" }.joined(separator: ", ")
        let rules =
            ["{from: [{source: {namespaces: &a [\(names)]}}]}"]
            + Array(repeating: "{from: [{source: {namespaces: *a}}]}", count: 9)
        let flaws = try Importing().flaws(IstioImportTests.policy("rules: [\(rules.joined(separator: ", "))]"))
        #expect(flaws.first?.contains("with this rule the policy has more than the 1 MiB that settings take") == true)
    }

    private static func policies(_ count: Int, _ authentication: String) -> String {
        (0..<count).map { number in
            LinkerdImportTests.policy("[\(authentication)]").replacing("authors-policy", with: "p\(number)")
        }.joined()
    }

    private static func flaws(_ yaml: String) throws -> [String] {
        try LinkerdImportTests.importing.flaws(LinkerdImportTests.server() + yaml)
    }
}
