public import KubernetesAPI

extension MockAPIServer {
    /// What the server does wrong with requests of a method whose path matches a pattern.
    public struct Fault {
        let method: String
        let path: String
        let fault: String
        let times: Int

        public init(_ method: String, _ path: String, _ fault: String, times: Int = 1) {
            (self.method, self.path, self.fault, self.times) = (method, path, fault, times)
        }
    }

    /// - Parameter client: a client of this server.
    public func misbehave(_ faults: [Fault], through client: APIClient) throws {
        let list = faults.map { fault -> JSONValue in
            [
                "method": .text(fault.method), "path": .text(fault.path), "fault": .text(fault.fault),
                "times": .integer(fault.times),
            ]
        }
        try control(["faults": .list(list)], through: client)
    }

    /// Such as `["compact": true]`; see `kubernetes_api.py`.
    public func control(_ wishes: JSONValue, through client: APIClient) throws {
        _ = try client.request(.post, "/_mock", body: try JSONText.encode(wishes))
    }

    /// The rights that nobody has used yet.
    public func unusedRights(through client: APIClient) throws -> [String] {
        let answer = try JSONValue(parsing: try client.request(.get, "/_mock"))
        return (answer["unusedRights"]?.list ?? []).compactMap(\.text)
    }
}
