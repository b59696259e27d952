/// A tiny DER encoder: elements as byte arrays.
enum DER {
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag] + length(content.count) + content
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] {
        element(0x30, Array(parts.joined()))
    }

    static func sequence(of parts: [[UInt8]]) -> [UInt8] {
        element(0x30, Array(parts.joined()))
    }

    static func integer(_ bytes: UInt8...) -> [UInt8] { element(0x02, bytes) }
    static func boolean(_ value: Bool) -> [UInt8] { element(0x01, [value ? 0xFF : 0]) }
    static func bitString(unusedBits: UInt8, _ octets: [UInt8]) -> [UInt8] { element(0x03, [unusedBits] + octets) }
    static func utcTime(_ text: String) -> [UInt8] { element(0x17, Array(text.utf8)) }
    static func generalizedTime(_ text: String) -> [UInt8] { element(0x18, Array(text.utf8)) }

    static func `extension`(_ identifier: [UInt8], critical: Bool = false, _ value: [UInt8]) -> [UInt8] {
        sequence(element(0x06, identifier), critical ? boolean(true) : [], element(0x04, value))
    }

    static func uri(_ text: String) -> [UInt8] { element(0x86, Array(text.utf8)) }

    private static func length(_ count: Int) -> [UInt8] {
        switch count {
        case ..<0x80: [UInt8(count)]
        case ..<0x100: [0x81, UInt8(count)]
        case ..<0x1_0000: [0x82, UInt8(count >> 8), UInt8(count & 0xFF)]
        default: [0x83, UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
        }
    }
}
