/// Textual encoding of DER (RFC 7468).
enum PEM {
    static func encode(_ label: String, _ der: [UInt8]) -> String {
        var text = "-----BEGIN \(label)-----\n"
        var column = 0
        for start in stride(from: 0, to: der.count, by: 3) {
            let group = der[start..<min(start + 3, der.count)]
            var word: UInt32 = 0
            for (index, byte) in group.enumerated() { word |= UInt32(byte) << UInt32(16 - 8 * index) }
            for index in 0..<4 {
                let sextet = Int(word >> UInt32(18 - 6 * index)) & 63
                text.unicodeScalars.append(index <= group.count ? alphabet[sextet] : "=")
            }
            column += 4
            if column == 64 {
                text += "\n"
                column = 0
            }
        }
        if column > 0 { text += "\n" }
        return text + "-----END \(label)-----\n"
    }

    /// The DER of every block with that label, in order; a block that is not base64 is left out.
    static func decode(_ label: String, _ text: String) -> [[UInt8]] {
        var blocks: [[UInt8]] = []
        var body: [UInt8]?
        for line in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" }) {
            switch line {
            case "-----BEGIN \(label)-----": body = []
            case "-----END \(label)-----":
                if let body, let der = decodeBase64(body) { blocks.append(der) }
                body = nil
            default: body?.append(contentsOf: line.utf8)
            }
        }
        return blocks
    }

    private static func decodeBase64(_ text: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        var bits = 0
        for character in text where character != UInt8(ascii: "=") && character != UInt8(ascii: " ") {
            guard let value = alphabet.firstIndex(of: Unicode.Scalar(character)) else { return nil }
            word = word << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
            }
        }
        return bytes
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".unicodeScalars)
}
