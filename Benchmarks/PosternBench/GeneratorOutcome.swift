import FoundationEssentials

/// The fields of `postern load --json` used here.
struct GeneratorOutcome: Decodable {
    private let requests: Int
    private let latencyMicroseconds: Latency?
    private let tls: Negotiated?

    private struct Latency: Decodable {
        let p50: Double
        let p99: Double
        let p999: Double

        enum CodingKeys: String, CodingKey {
            case p50, p99
            case p999 = "p99.9"
        }
    }

    private struct Negotiated: Decodable {
        let handshakes: Int
        let resumed: Int
    }

    init?(parsing text: String) {
        guard let outcome = try? JSONDecoder().decode(GeneratorOutcome.self, from: Data(text.utf8)) else { return nil }
        self = outcome
    }

    /// p50, p99 and p99.9, in microseconds.
    func latencies(_ pair: ProxyPair) throws -> [Double] {
        guard let latencyMicroseconds else { throw BenchFault.nothingMoved("echo through \(pair.label), inbound") }
        return [latencyMicroseconds.p50, latencyMicroseconds.p99, latencyMicroseconds.p999]
    }

    /// Fails unless all handshakes were full or, with resumption, all but each connection's first one or two were
    /// resumed.
    func assertResumption(_ resumes: Bool, connections: Int, _ pair: ProxyPair) throws {
        guard let tls, resumes ? tls.resumed >= max(1, tls.handshakes - 2 * connections) : tls.resumed == 0 else {
            throw BenchFault.negotiated(
                "\(pair.label), inbound,", got: "\(tls?.resumed ?? 0) resumed of \(tls?.handshakes ?? 0) handshakes",
                expected: resumes ? "all but the first" : "none")
        }
    }
}
