import TLS

/// Encrypts `bytes` of plaintext at a time, in several records if necessary.
final class Sealing: Workload {
    private var pair: MemoryPair
    private let plaintext: ByteBlock
    private let output: ByteBlock

    init(_ identities: Identities, bytes: Int) throws {
        pair = try MemoryPair.joined(identities.contexts(resumption: false), MemoryWires())
        plaintext = .letters(bytes)
        output = ByteBlock(capacityBytes: TLSSession.sealCapacity(plaintextBytes: bytes))
    }

    func run(_ operations: Int) throws {
        let plaintext = plaintext
        for _ in 0..<operations {
            output.removeAll()
            let outcome = output.append { pair.client.seal(plaintext.bytes, into: &$0) }
            guard outcome == .sealed else { throw MicroBenchFault.session("sealing: \(outcome)") }
        }
    }
}

/// Decrypts the output of `Sealing`, all records of an operation in one call.
final class Opening: Workload {
    private var pair: MemoryPair
    private let plaintext: ByteBlock
    private let output: ByteBlock
    private var sealed: [ByteBlock] = []

    init(_ identities: Identities, bytes: Int) throws {
        pair = try MemoryPair.joined(identities.contexts(resumption: false), MemoryWires())
        plaintext = .letters(bytes)
        let sealedBytes = TLSSession.sealCapacity(plaintextBytes: bytes)
        output = ByteBlock(capacityBytes: TLSSession.openCapacity(inputBytes: sealedBytes))
    }

    func prepare(_ operations: Int) throws {
        let sealedBytes = TLSSession.sealCapacity(plaintextBytes: plaintext.count)
        if sealed.count < operations {
            sealed = (0..<operations).map { _ in ByteBlock(capacityBytes: sealedBytes) }
        }
        let plaintext = plaintext
        for index in 0..<operations {
            sealed[index].removeAll()
            let outcome = sealed[index].append { pair.client.seal(plaintext.bytes, into: &$0) }
            guard outcome == .sealed else { throw MicroBenchFault.session("sealing: \(outcome)") }
        }
    }

    func run(_ operations: Int) throws {
        for index in 0..<operations {
            output.removeAll()
            let input = sealed[index]
            let outcome = output.append { pair.server.open(input.bytes, into: &$0) }
            guard outcome == .open, output.count == plaintext.count else {
                throw MicroBenchFault.session("opening: \(outcome), \(output.count) bytes")
            }
        }
    }
}

extension ByteBlock {
    fileprivate static func letters(_ count: Int) -> ByteBlock {
        let block = ByteBlock(capacityBytes: count)
        block.append { output in
            for index in 0..<count { output.append(UInt8(ascii: "a") + UInt8(index % 26)) }
        }
        return block
    }
}
