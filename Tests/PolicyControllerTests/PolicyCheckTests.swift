import Settings
import Testing

@testable import PolicyController

@Suite("Checked manifests")
struct PolicyCheckTests {
    @Test("each flaw has its place in the file, in lists and in JSON too; other objects are passed over")
    func places() {
        let text = """
            apiVersion: v1
            kind: ConfigMap
            ---
            apiVersion: postern.dev/v1
            kind: PosternPolicy
            metadata: {name: Orders}
            spec:
              selector: {}
              rules:
                - name: a
                  action: allow
                  identities:
                    - spiffe://a/b
                    - spiffe://a/**/c
                - {name: b, action: permit, identities: [&x "spiffe://a/b", *x]}
            ---
            {"kind": "List", "items": [{"kind": "Pod"},
             {"apiVersion": "postern.dev/v1alpha1", "kind": "PosternPolicy", "metadata": {"name": "a"},
              "spec": {"selector": {}, "rules": [{"name": "a", "action": "deny", "sources": ["x"]}]}}]}
            """
        let (policies, flaws) = Self.check(text)
        #expect(policies == 2)
        let places = flaws.map { "\($0.position.line):\($0.position.column) \($0.message.prefix { $0 != ":" })" }
        #expect(
            places == [
                "4:13 apiVersion", "6:18 metadata.name", "14:11 spec.rules[0].identities[1]",
                "15:25 spec.rules[1].action",
                "19:82 spec.rules[0].sources[0]",
            ], "\(flaws)")
    }

    @Test(
        "what is no manifest is a flaw, not a crash",
        arguments: [
            "a: [", "a: 1\na: 2", "{[1]: 2}", String(repeating: "[", count: 1_000), "a: *b",
            (0..<7).reduce("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n") { text, n in
                text + "a\(n + 1): &a\(n + 1) [" + Array(repeating: "*a\(n)", count: 10).joined(separator: ",") + "]\n"
            },
        ])
    func garbage(_ text: String) {
        #expect(Self.check(text).flaws.count == 1)
    }

    @Test("a policy without what it needs is flawed, and a sound one is not")
    func sound() {
        let empty = "apiVersion: postern.dev/v1alpha1\nkind: PosternPolicy\n"
        #expect(Self.check(empty).flaws.count == 3)
        let sound =
            empty
            + "metadata: {name: a}\nspec: {selector: {}, rules: [{name: a, action: allow, identities: [\"spiffe://a/b\"]}]}"
        #expect(Self.check(sound).flaws.isEmpty)
    }

    private static func check(_ text: String) -> (policies: Int, flaws: [SettingsFlaw]) {
        var check = PolicyCheck()
        check.read(Array(text.utf8), file: "f")
        return (check.count, check.flaws)
    }
}
