import PosternTesting
import Testing

@testable import WorkloadAPI

/// Against a server that nobody here wrote, it is tested end to end.
@Suite("A call for the health of an application")
struct HealthCallTests {
    @Test("whatever a server sends, the call ends with a reason or goes on")
    func garbage() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let call = try HealthCall(service: "s", authority: "a:1", userAgent: "u")
            #expect(call.takeOutput().starts(with: "PRI * HTTP/2.0".utf8))
            // Settings, so that some of what follows is read as frames.
            call.receive([0, 0, 0, 4, 0, 0, 0, 0, 0])
            for _ in 0..<8 {
                var bytes = (0..<Int.random(in: 1...64, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                if Bool.random(using: &generator) {
                    bytes =
                        [0, 0, UInt8(min(bytes.count, 255)), UInt8.random(in: 0...9, using: &generator), 0x25]
                        + [0, 0, 0, 1] + bytes
                }
                call.receive(bytes)
                _ = call.takeOutput()
            }
            call.receive([])
            guard case .notServing? = call.outcome else {
                Issue.record("it is \(String(describing: call.outcome))")
                return
            }
        }
    }

    @Test("a varint is the last one of its field, and 0 without one")
    func varints() throws {
        #expect(try Self.varint([]) == 0)
        #expect(try Self.varint([0x08, 2, 0x12, 1, 9, 0x08, 1]) == 1)
        #expect(throws: WorkloadMessageFlaw.self) { try Self.varint([0x08, 0x80]) }
        #expect(throws: WorkloadMessageFlaw.self) { try Self.varint([0x12, 9, 1]) }
    }

    private static func varint(_ bytes: [UInt8]) throws -> UInt64 { try ProtobufReader.varint(of: 1, in: bytes.span) }
}
