import KubernetesAPI
import Settings

/// A selector of labels (`meta/v1` LabelSelector): all of its parts must hold; without any, everything matches.
struct LabelSelector: Hashable, Sendable {
    struct Expression: Hashable, Sendable {
        enum Operator: String, CaseIterable {
            case among = "In"
            case notAmong = "NotIn"
            case exists = "Exists"
            case absent = "DoesNotExist"
        }

        let key: String
        let verb: Operator
        let values: Set<String>
    }

    private(set) var labels: [String: String] = [:]
    private(set) var expressions: [Expression] = []

    /// Of every pod.
    static let all = LabelSelector()

    private init() {}

    init(parsing value: JSONValue?) throws(PolicyProblem) {
        let path = "spec.selector"
        guard let members = value?.members else {
            throw PolicyProblem(path, "a selector is needed: `{}` selects all pods of the namespace")
        }
        for key in members.keys.sorted() where key != "matchLabels" && key != "matchExpressions" {
            throw PolicyProblem("\(path).\(key)", "there is no \(quoted(key)): write matchLabels or matchExpressions")
        }
        for (key, value) in members["matchLabels"]?.members ?? [:] {
            guard let text = value.text else { throw PolicyProblem("\(path).matchLabels.\(key)", "expected text") }
            labels[key] = text
        }
        for (index, expression) in (members["matchExpressions"]?.list ?? []).enumerated() {
            let place = "\(path).matchExpressions[\(index)]"
            guard let key = expression["key"]?.text, let word = expression["operator"]?.text,
                let verb = Expression.Operator(rawValue: word)
            else { throw PolicyProblem(place, "needs a key, and an operator: In, NotIn, Exists or DoesNotExist") }
            let values = Set((expression["values"]?.list ?? []).compactMap(\.text))
            guard values.isEmpty == (verb == .exists || verb == .absent) else {
                throw PolicyProblem(place, "\(word) \(values.isEmpty ? "needs values" : "takes no values")")
            }
            expressions.append(Expression(key: key, verb: verb, values: values))
        }
    }

    func matches(_ metadata: ObjectMetadata) -> Bool {
        let found = metadata.labels ?? [:]
        return labels.allSatisfy { found[$0.key] == $0.value }
            && expressions.allSatisfy { expression in
                let value = found[expression.key]
                return switch expression.verb {
                case .among: value.map { expression.values.contains($0) } ?? false
                case .notAmong: value.map { !expression.values.contains($0) } ?? true
                case .exists: value != nil
                case .absent: value == nil
                }
            }
    }
}

/// What is wrong with a policy, and where in it.
public struct PolicyProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// Such as `spec.rules[0].identities[1]`.
    public let path: String
    public let message: String

    init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { "\(path): \(message)" }
}
