/// Reads the fields of one Protocol Buffers message (encoding version 3); nothing is read past its end.
struct ProtobufReader: ~Escapable {
    /// A length-delimited field; fields of every other wire type are skipped.
    struct Field {
        let number: UInt64
        let value: Range<Int>
    }

    private let bytes: Span<UInt8>
    private var position: Int
    private let end: Int

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next length-delimited field; nil at the end.
    @_lifetime(self: copy self)
    mutating func next() throws(WorkloadMessageFlaw) -> Field? {
        while position < end {
            let key = try varint()
            guard key >> 3 > 0 else { throw .malformed }
            switch key & 7 {
            case 0: _ = try varint()
            case 1: try skip(8)
            case 5: try skip(4)
            case 2:
                let length = try varint()
                guard length <= UInt64(end - position) else { throw .malformed }
                let start = position
                position += Int(length)
                return Field(number: key >> 3, value: start..<position)
            default: throw .malformed  // groups, which are deprecated, and undefined wire types
            }
        }
        return nil
    }

    /// The value of a field that is a varint, the last of several; 0 without one, as proto3 has it.
    static func varint(of number: UInt64, in bytes: Span<UInt8>) throws(WorkloadMessageFlaw) -> UInt64 {
        var reader = ProtobufReader(bytes, in: 0..<bytes.count)
        var found: UInt64 = 0
        while reader.position < reader.end {
            let key = try reader.varint()
            guard key >> 3 > 0 else { throw .malformed }
            switch key & 7 {
            case 0:
                let value = try reader.varint()
                if key >> 3 == number { found = value }
            case 1: try reader.skip(8)
            case 5: try reader.skip(4)
            case 2:
                let length = try reader.varint()
                guard length <= UInt64(reader.end - reader.position) else { throw .malformed }
                try reader.skip(Int(length))
            default: throw .malformed
            }
        }
        return found
    }

    @_lifetime(self: copy self)
    private mutating func skip(_ count: Int) throws(WorkloadMessageFlaw) {
        guard count <= end - position else { throw .malformed }
        position += count
    }

    @_lifetime(self: copy self)
    private mutating func varint() throws(WorkloadMessageFlaw) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < end else { throw .malformed }
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte <= 1 else { throw .malformed }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw .malformed
    }
}

extension Span<UInt8> {
    func array(_ range: Range<Int>) -> [UInt8] { range.map { self[$0] } }
}
