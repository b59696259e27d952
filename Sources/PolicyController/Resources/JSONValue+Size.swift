import KubernetesAPI

extension JSONValue {
    /// About its size as JSON.
    var bytes: Int {
        switch self {
        case .null, .boolean, .integer, .number: 8
        case .text(let text): text.utf8.count + 3
        case .list(let values): values.reduce(2) { $0 + $1.bytes + 1 }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + 4 + $1.value.bytes }
        }
    }
}
