import Foundation
import Identity
import Testing

/// One SPIFFE ID with its verdict, from the test suites of other implementations.
struct SPIFFEIDVector: Decodable, Sendable, CustomTestStringConvertible {
    let id: String?
    let hex: String?
    let valid: Bool
    let trustDomain: String?
    let path: String?
    let why: String
    let source: String

    enum CodingKeys: String, CodingKey {
        case id, valid, path, why, source
        case hex = "id_hex"
        case trustDomain = "trust_domain"
    }

    var bytes: [UInt8] {
        guard let hex else { return Array((id ?? "").utf8) }
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    var testDescription: String { "\((id ?? hex ?? "").prefix(80)): \(why) (\(source))" }

    static let all: [SPIFFEIDVector] = {
        struct File: Decodable { let ids: [SPIFFEIDVector] }
        guard let url = Bundle.module.url(forResource: "spiffe_ids", withExtension: "json"),
            let file = try? JSONDecoder().decode(File.self, from: Data(contentsOf: url))
        else { preconditionFailure("the vectors are part of the test bundle") }
        return file.ids
    }()
}

@Suite("SPIFFE IDs that other implementations are tested with")
struct SPIFFEIDVectorTests {
    @Test("get the verdict that the specification gives them", arguments: SPIFFEIDVector.all)
    func verdict(_ vector: SPIFFEIDVector) {
        let identity = try? SPIFFEID(parsing: vector.bytes.span)
        #expect((identity != nil) == vector.valid)
        #expect(identity?.trustDomain.name == vector.trustDomain)
        #expect(identity?.path == vector.path)
        #expect(identity.map { Array($0.description.utf8) } == (vector.valid ? vector.bytes : nil))
        if let text = vector.id { #expect((try? SPIFFEID(parsing: text)) == identity) }
    }

    @Test("are all read")
    func count() {
        #expect(SPIFFEIDVector.all.count == 247)
    }
}
