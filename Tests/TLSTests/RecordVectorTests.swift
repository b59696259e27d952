import TLSTesting
import Testing

@testable import TLS

@Suite("The example of RFC 8448, section 3")
struct RecordVectorTests {
    private let ciphers: RecordCiphers

    init() throws { ciphers = try RecordCiphers() }

    private static let clientSecret = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
    private static let serverSecret = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"
    private static let payload = [UInt8](0...49)
    private static let clientRecord = """
        1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292\
        a2977014bd1e3deae63aeebb21694915e4
        """
    private static let serverRecord = """
        17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0\
        a21c0047c2abf332540dd032e167c2955d
        """
    private static let ticketRecord = """
        17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a015940252f5571\
        3e061dc13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e09c30ba1e62972ac46f75f7b981be\
        63439b2999ce13064615139891d5e4c5b406f16e3fc181a77ca475840025db2f0a77f81b5ab05b94c01346755f69232c86519d86cbeeac\
        87aac347d143f9605d64f650db4d023e70e952ca49fe5137121c74bc2697687e248746d6df353005f3bce18696129c8153556b3b6c6779\
        b37bf15985684f
        """

    private func key(
        _ use: TrafficKey.Use, _ hex: String, sequence: UInt64 = 0
    ) throws -> TrafficKey {
        let secret = try #require(secretBytes(hex: hex))
        let copy = SecretBytes(count: secret.count)
        // Safe: both have the same count.
        unsafe copy.mutableBytes.copyBytes(from: secret)
        return try TrafficKey(use, .aes128GCM, copy, sequence: sequence, ciphers)
    }

    private func open(_ key: inout TrafficKey, _ hex: String) throws -> [UInt8] {
        let record = try #require(secretBytes(hex: hex))
        var inner = [UInt8](repeating: 0, count: record.count)
        // Safe: the plaintext is shorter than the record.
        let count = unsafe try inner.withUnsafeMutableBytes { target in
            unsafe try over(record) { (record) throws(RecordFlaw) in
                unsafe try key.open(record, into: target.baseAddress!)
            }
        }
        return Array(inner[..<count])
    }

    @Test(
        "gives these keys and nonces",
        arguments: [
            (clientSecret, "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"),
            (serverSecret, "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"),
        ])
    func keys(hex: String, key: String, iv: String) throws {
        let secret = SecretBytes(count: 32)
        // Safe: the digits are of 32 bytes, and the results live as long as they are read.
        unsafe try secret.mutableBytes.copyBytes(from: #require(secretBytes(hex: hex)))
        let madeKey = try ciphers.expand(secret, "key", .aes128GCM, bytes: 16)
        let madeIV = try ciphers.expand(secret, "iv", .aes128GCM, bytes: 12)
        #expect(unsafe Array(madeKey.bytes) == secretBytes(hex: key))
        #expect(unsafe Array(madeIV.bytes) == secretBytes(hex: iv))
    }

    @Test(
        "has these records of application data",
        arguments: [(clientSecret, 0, clientRecord), (serverSecret, 1, serverRecord)] as [(String, UInt64, String)])
    func records(secret: String, sequence: UInt64, record: String) throws {
        var sealing = try key(.sealing, secret, sequence: sequence)
        // Safe: there is room for a record.
        let made = written(128) { output in
            unsafe output.withUnsafeMutableBytes { buffer, count in
                count =
                    unsafe (try? over(Self.payload) { (bytes) throws(RecordFlaw) in
                        unsafe try sealing.seal(bytes, as: .applicationData, into: buffer.baseAddress!)
                    }) ?? 0
            }
        }
        #expect(made == secretBytes(hex: record))
        var opening = try key(.opening, secret, sequence: sequence)
        #expect(try open(&opening, record) == Self.payload + [23])
    }

    @Test("has this ticket before it, and these alerts behind it")
    func ticketAndAlerts() throws {
        var server = try key(.opening, Self.serverSecret)
        let ticket = try open(&server, Self.ticketRecord)
        #expect(ticket.first == 4)
        #expect(ticket.last == 22)
        #expect(try open(&server, Self.serverRecord) == Self.payload + [23])
        #expect(try open(&server, "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9") == [1, 0, 21])
        var client = try key(.opening, Self.clientSecret)
        #expect(try open(&client, Self.clientRecord) == Self.payload + [23])
        #expect(try open(&client, "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3") == [1, 0, 21])
    }

    @Test("is read in its order alone")
    func order() throws {
        var server = try key(.opening, Self.serverSecret)
        #expect(throws: RecordFlaw.notAuthentic) { try open(&server, Self.serverRecord) }
    }
}
