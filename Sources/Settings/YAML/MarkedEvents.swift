/// The events of a YAML stream with their places in the text, for whoever edits a text and leaves the rest as it is.
///
/// Any YAML: several documents, tags, merge keys, anchors. Nothing is expanded. Do not use it after it threw a flaw.
public struct MarkedEvents: ~Copyable {
    public enum Kind: Sendable {
        case documentStart, documentEnd, streamEnd
        case alias(anchor: String)
        /// Plain: without quotes, and not a block scalar.
        case scalar(text: String, isPlain: Bool)
        /// Flow: in braces or brackets.
        case sequenceStart(isFlow: Bool), sequenceEnd
        case mappingStart(isFlow: Bool), mappingEnd
    }

    public struct Event: Sendable {
        public let kind: Kind
        public let anchor: String?
        public let tag: String?
        /// Offset of the event's first byte, which is that of its anchor or tag if it has one.
        public let start: Int
        /// Offset behind its last byte. Of a start in flow style: behind the brace or bracket. Of the end of a
        /// collection in block style: where the next token begins.
        public let end: Int
        public let line: Int
        public let column: Int
    }

    private let text: [UInt8]
    private var events: EventStream
    /// A place of which both offsets are known.
    private var character: Int
    private var byte: Int
    /// What counts as one character.
    private let wide: [Range<Int>]
    /// How many of them are before ``byte``.
    private var widePassed = 0

    public init(text: [UInt8], file: String) {
        self.init(text: text, parsing: text, wide: [], file: file)
    }

    /// Events of `parsed`, with their places in `text`.
    ///
    /// - Parameter wide: where the texts differ, in ascending order: each is one character of `parsed`, whatever it has
    ///   in `text`.
    public init(text: [UInt8], parsing parsed: [UInt8], wide: [Range<Int>], file: String) {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let skipped = text.starts(with: byteOrderMark) ? byteOrderMark.count : 0
        self.text = text
        self.wide = wide
        self.events = EventStream(text: skipped == 0 ? parsed : Array(parsed.dropFirst(skipped)), file: file)
        self.character = 0
        self.byte = skipped
    }

    public mutating func next() throws(SettingsFlaw) -> Event {
        let (event, position) = try events.next()
        let start = offset(ofCharacter: events.span.lowerBound)
        let end = offset(ofCharacter: events.span.upperBound)
        func marked(_ kind: Kind, _ properties: EventStream.Properties? = nil) -> Event {
            Event(
                kind: kind, anchor: properties?.anchor, tag: properties?.tag, start: start, end: end,
                line: position.line, column: position.column)
        }
        switch event {
        case .documentStart: return marked(.documentStart)
        case .documentEnd: return marked(.documentEnd)
        case .streamEnd: return marked(.streamEnd)
        case .alias(let anchor): return marked(.alias(anchor: anchor))
        case .scalar(let scalar, let properties):
            return marked(.scalar(text: scalar.text, isPlain: scalar.style == .plain), properties)
        case .sequenceStart(let properties): return marked(.sequenceStart(isFlow: properties.isFlow), properties)
        case .sequenceEnd: return marked(.sequenceEnd)
        case .mappingStart(let properties): return marked(.mappingStart(isFlow: properties.isFlow), properties)
        case .mappingEnd: return marked(.mappingEnd)
        }
    }

    /// libyaml counts characters. Events come in the order of the text, so that this steps over each byte a few times.
    private mutating func offset(ofCharacter wanted: Int) -> Int {
        while character < wanted, byte < text.count {
            character += 1
            if widePassed < wide.count, wide[widePassed].lowerBound == byte {
                byte = wide[widePassed].upperBound
                widePassed += 1
                continue
            }
            byte += 1
            while byte < text.count, text[byte] & 0xC0 == 0x80 { byte += 1 }
        }
        while character > wanted, byte > 0 {
            character -= 1
            if widePassed > 0, wide[widePassed - 1].upperBound == byte {
                widePassed -= 1
                byte = wide[widePassed].lowerBound
                continue
            }
            byte -= 1
            while byte > 0, text[byte] & 0xC0 == 0x80 { byte -= 1 }
        }
        return byte
    }
}
