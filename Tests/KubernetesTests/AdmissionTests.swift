import Kubernetes
import PosternTesting
import Testing

@Suite("AdmissionReviews")
struct AdmissionTests {
    private let injection: Injection

    init() throws {
        injection = try #require(Injection(image: "postern:1", version: "1"))
    }

    private static func review(_ pod: String, _ operation: String = "CREATE") -> [UInt8] {
        Array(
            #"""
            {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"705ab4f5","kind":\#
            {"group":"","version":"v1","kind":"Pod"},"operation":"\#(operation)","object":\#(pod),"oldObject":null}}
            """#.utf8)
    }

    private func outcome(_ review: [UInt8]) throws -> String {
        let answer = try injection.answer(to: review)
        return switch answer.outcome {
        case .injected: "injected"
        case .skipped(let reason): "skipped: \(reason)"
        case .denied(let reason): "denied: \(reason)"
        }
    }

    @Test(
        "each is answered with its reason",
        arguments: [
            (#"{"spec":{"containers":[{"name":"a"}]}}"#, "injected"),
            (#"{"metadata":null,"spec":{"containers":[{"name":"a"}],"volumes":null}}"#, "injected"),
            (#"{"spec":{"hostNetwork":true,"containers":[{"name":"a"}]}}"#, "skipped: hostNetwork"),
            (#"{"spec":{"hostNetwork":"yes","containers":[{"name":"a"}]}}"#, "denied: expected true or false"),
            (
                #"{"metadata":{"annotations":{"postern.dev/inject":"disabled"}},"spec":{}}"#,
                "skipped: postern.dev/inject"
            ),
            (#"{"metadata":{"annotations":{"postern.dev/injekt":"no"}},"spec":{}}"#, "denied: there is no annotation"),
            (#"{"spec":{"containers":[{"name":"postern-proxy"}]}}"#, "denied: the name `postern-proxy`"),
            (#"{"spec":{"containers":[{"name":"a","securityContext":{"runAsUser":1337.0}}]}}"#, "denied: `runAsUser`"),
            (#"{"spec":{"containers":[{"name":"a"}]},"spec":{}}"#, "denied: a second key"),
            ("null", "skipped: it is no pod"), ("[]", "skipped: it is no pod"),
        ])
    func outcomes(_ pod: String, _ expected: String) throws {
        let found = try outcome(Self.review(pod))
        #expect(found.hasPrefix(expected), "\(found)")
        #expect(try outcome(Self.review(pod, "DELETE")).hasPrefix("skipped: DELETE"))
    }

    @Test("garbage is refused, and neither ends the process nor is answered as a review")
    func garbage() throws {
        var random = SeededGenerator(seed: 3)
        let good = Self.review(#"{"spec":{"containers":[{"name":"a","livenessProbe":{"grpc":{"port":1}}}]}}"#)
        for _ in 0..<1_000 {
            var bytes = good
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: index)
                case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 2: bytes.removeSubrange(index...)
                default: bytes.insert(contentsOf: random.pick(["{", "\"", ",", "&a ", "*a", "<<: "]).utf8, at: index)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            _ = try? injection.answer(to: bytes)
        }
        #expect(throws: AdmissionFault.self) { try injection.answer(to: []) }
        #expect(throws: AdmissionFault.self) {
            try injection.answer(to: [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20))
        }
    }

    @Test("a review of 3 MB is answered")
    func large() throws {
        let value = String(repeating: "x", count: 3 << 20)
        let pod = #"{"metadata":{"annotations":{"a":"\#(value)"}},"spec":{"containers":[{"name":"a"}]}}"#
        #expect(try outcome(Self.review(pod)) == "injected")
    }
}
