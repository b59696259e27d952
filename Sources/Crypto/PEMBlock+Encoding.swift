extension PEMBlock {
    /// The textual encoding of `der` (RFC 7468): lines of 64 characters between the label's two lines.
    public static func encode(_ label: String, _ der: [UInt8]) -> String {
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

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".unicodeScalars)
}
