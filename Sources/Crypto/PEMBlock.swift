/// One block of a PEM file (RFC 7468): a label and the bytes under it.
public struct PEMBlock {
    public let label: String
    public var bytes: [UInt8]
    /// A traditional key with "Proc-Type: 4,ENCRYPTED"; `bytes` is then the cipher text.
    public let hasEncryptionHeader: Bool

    /// Every block of `text`, in order; text outside blocks is a comment.
    public static func parse(_ text: [UInt8]) throws(PEMFlaw) -> [PEMBlock] {
        var blocks: [PEMBlock] = []
        var open: (label: String, line: Int)?
        var base64 = Base64Decoder(characters: 0)
        var encrypted = false
        var number = 0
        // A SEQUENCE, which text that begins with this character has no bytes of.
        if text.first == 0x30, text.prefix(64).contains(where: { $0 == 0 || $0 >= 0x80 }) {
            throw PEMFlaw(line: 1, problem: .der)
        }
        if text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF]) {
            throw PEMFlaw(line: 1, problem: .utf16)
        }
        // Editors of another world put a byte order mark in front.
        let text = text.starts(with: [0xEF, 0xBB, 0xBF]) ? text[3...] : text[...]
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let line = trimmed(line)
            if let label = marker(line, "-----BEGIN ") {
                guard open == nil else { throw PEMFlaw(line: number, problem: .beginInsideBlock) }
                open = (label, number)
                base64 = Base64Decoder(characters: text.count)
                encrypted = false
            } else if let label = marker(line, "-----END ") {
                guard let begun = open, begun.label == label else { throw PEMFlaw(line: number, problem: .strayEnd) }
                guard let bytes = base64.finish() else { throw PEMFlaw(line: begun.line, problem: .notBase64) }
                blocks.append(PEMBlock(label: label, bytes: bytes, hasEncryptionHeader: encrypted))
                open = nil
            } else if open != nil {
                if line.contains(UInt8(ascii: ":")) {
                    encrypted = encrypted || line.starts(with: "Proc-Type: 4,ENCRYPTED".utf8)
                } else if !line.starts(with: "DEK-Info".utf8), !base64.append(line) {
                    throw PEMFlaw(line: number, problem: .notBase64)
                }
            }
        }
        if let open { throw PEMFlaw(line: open.line, problem: .unfinishedBlock) }
        return blocks
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        while let last = line.last, last == 0x20 || last == 0x09 || last == 0x0d { line.removeLast() }
        return line
    }

    private static func marker(_ line: ArraySlice<UInt8>, _ prefix: StaticString) -> String? {
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix("\(prefix)"), text.hasSuffix("-----") else { return nil }
        return String(text.dropFirst(prefix.utf8CodeUnitCount).dropLast(5))
    }
}

/// What is wrong with a PEM file, and where.
public struct PEMFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    enum Problem: String, Sendable {
        case beginInsideBlock = "a BEGIN line inside another block"
        case strayEnd = "an END line without its BEGIN"
        case notBase64 = "a block that is not base64"
        case der = "DER, which `openssl x509 -inform DER` or `openssl pkey -inform DER` turns into PEM"
        case utf16 = "UTF-16, which `iconv -f UTF-16 -t UTF-8` turns into what it should be"
        case unfinishedBlock = "a block without its END line"
    }

    let line: Int
    let problem: Problem

    public var description: String { "line \(line): \(problem.rawValue)" }
}

/// Base64 (RFC 4648, section 4) over lines.
private struct Base64Decoder {
    private var bytes: [UInt8]
    private var bits: UInt32 = 0
    private var bitCount = 0
    private var padding = 0

    /// Reserves the largest size possible: an array that grew would leave copies of a key behind.
    init(characters: Int) {
        bytes = []
        bytes.reserveCapacity(characters / 4 * 3 + 3)
    }

    /// Decodes one line; false if it has a character outside base64, or data after the padding.
    mutating func append(_ line: ArraySlice<UInt8>) -> Bool {
        for character in line {
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = Self.value(of: character) else { return false }
            bits = bits << 6 | value
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        return true
    }

    /// The bytes of the whole block, or nil if the padding is wrong.
    mutating func finish() -> [UInt8]? {
        let leftover = bits & ((1 << UInt32(bitCount)) - 1)
        guard bitCount < 6, padding == bitCount / 2, leftover == 0 else { return nil }
        defer { bytes = [] }
        return bytes
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
