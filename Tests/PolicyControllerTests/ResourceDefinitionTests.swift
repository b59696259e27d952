import Foundation
import KubernetesAPI
import Settings
import Testing

@testable import PolicyController

@Suite("The CustomResourceDefinition")
struct ResourceDefinitionTests {
    private let definition: JSONValue
    private var version: JSONValue { definition["spec"]?["versions"]?.list?.first ?? .null }
    private var schema: JSONValue { version["schema"]?["openAPIV3Schema"] ?? .null }

    init() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Kubernetes/Chart/crds/posternpolicies.yaml")
        let text = Array(try Data(contentsOf: path))
        definition = try #require(try PolicyManifest(text, file: "crd.yaml").documents.first?.value)
    }

    @Test("has the keys of the settings, and their words")
    func keys() {
        let keys = ["mode", "rules"].map { "policies.NAME.\($0)" }
        #expect(
            Settings.reference.map(\.path).filter { $0.hasPrefix("policies.") && $0.count { $0 == "." } == 2 } == keys)
        let expected = Settings.reference.compactMap { entry in
            entry.path.hasPrefix("policies.NAME.rules[].") ? String(entry.path.split(separator: ".").last ?? "") : nil
        }
        let rule = schema["properties"]?["spec"]?["properties"]?["rules"]?["items"]?["properties"]?.members ?? [:]
        #expect(!expected.isEmpty && Set(rule.keys) == Set(expected), "\(expected)")
        #expect(definition["spec"]?["group"]?.text == PosternPolicy.resource.group)
        #expect(definition["spec"]?["names"]?["plural"]?.text == PosternPolicy.resource.plural)
        #expect(version["name"]?.text == PosternPolicy.resource.version)
    }

    @Test("its schema is structural, and each list and text of the spec has a limit")
    func structure() throws {
        var seen = 0
        try walk(schema, "") { node, path in
            seen += 1
            let isPort = node["x-kubernetes-int-or-string"]?.boolean == true
            #expect(isPort != (node["type"] != nil), "\(path) needs one type")
            for key in (node.members ?? [:]).keys {
                #expect(Self.allowed.contains(key), "\(path): \(key)")
            }
            guard path.hasPrefix(".spec") else { return }
            switch node["type"]?.text {
            case "array": #expect(node["maxItems"] != nil && node["x-kubernetes-list-type"] != nil, "\(path)")
            case "string": #expect(node["maxLength"] != nil || node["enum"] != nil, "\(path)")
            case "object": #expect(node["additionalProperties"] == nil || node["maxProperties"] != nil, "\(path)")
            default: break
            }
        }
        #expect(seen > 40)
    }

    private func walk(_ node: JSONValue, _ path: String, _ visit: (JSONValue, String) -> Void) throws {
        visit(node, path)
        for (key, inner) in node["properties"]?.members ?? [:] { try walk(inner, "\(path).\(key)", visit) }
        if let items = node["items"] { try walk(items, "\(path)[]", visit) }
        if let more = node["additionalProperties"] { try walk(more, "\(path).*", visit) }
    }

    private static let allowed: Set<String> = [
        "type", "description", "required", "properties", "additionalProperties", "items", "enum", "default", "pattern",
        "format", "minLength", "maxLength", "minItems", "maxItems", "maxProperties", "anyOf",
        "x-kubernetes-int-or-string", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
        "x-kubernetes-validations", "x-kubernetes-preserve-unknown-fields",
    ]
}
