import Foundation
import Settings
import Testing

@Suite("The address of a Workload API")
struct WorkloadAddressTests {
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let address: String
        let valid: Bool
        let why: String

        var testDescription: String { "\(address): \(why)" }
    }

    private static let all: [Vector] = {
        guard let url = Bundle.module.url(forResource: "endpoint_sockets", withExtension: "json"),
            let data = try? Data(contentsOf: url), let vectors = try? JSONDecoder().decode([Vector].self, from: data)
        else { preconditionFailure("no vectors") }
        return vectors
    }()

    @Test("matches the vectors of the SPIFFE implementations", arguments: Self.all)
    func vectors(vector: Vector) {
        #expect(((try? WorkloadAddress(parsing: vector.address)) != nil) == vector.valid)
    }

    @Test(
        "names the path, or the address and port",
        arguments: [
            ("unix:/run/agent.sock", "unix:/run/agent.sock"), ("unix:///run/agent.sock", "unix:/run/agent.sock"),
            ("tcp://127.0.0.1:8000", "tcp://127.0.0.1:8000"), ("tcp://[::1]:8080", "tcp://[::1]:8080"),
        ])
    func text(address: String, expected: String) throws {
        #expect(try WorkloadAddress(parsing: address).description == expected)
    }

    @Test("has a path that fits a socket's address")
    func length() {
        #expect(throws: Never.self) { try WorkloadAddress(parsing: "unix:/" + String(repeating: "a", count: 106)) }
        #expect(throws: WorkloadAddressFlaw.longPath) {
            try WorkloadAddress(parsing: "unix:/" + String(repeating: "a", count: 107))
        }
    }
}
