import CLibYAML

/// The events of one YAML stream, pulled one at a time from libyaml; the only file that calls libyaml.
///
/// Safe because it owns a copy of the text and libyaml's parser, and lends neither. Do not use the stream after it
/// threw a flaw.
@safe struct EventStream: ~Copyable {
    enum Event {
        case documentStart, documentEnd, streamEnd
        case alias(anchor: String)
        case scalar(Scalar, Properties)
        case sequenceStart(Properties), sequenceEnd
        case mappingStart(Properties), mappingEnd
    }

    /// The anchor and tag before a node, and how it is written.
    struct Properties {
        var anchor: String?
        var tag: String?
        /// In braces or brackets; false for scalars.
        var isFlow = false
    }

    /// Where the last event was, in characters from the start of the text: from its anchor or tag on.
    private(set) var span = 0..<0

    private let file: String
    /// libyaml keeps pointers into both, and to the parser itself: they are heap blocks that never move.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(text bytes: [UInt8], file: String) {
        self.file = file
        unsafe self.parser = .allocate(capacity: 1)
        // At least one byte, since libyaml asserts that its input is not a null pointer.
        unsafe self.text = .allocate(capacity: max(bytes.count, 1))
        unsafe text.initialize(repeating: 0)
        _ = unsafe text.update(fromContentsOf: bytes)
        // Fails only without memory, as every other allocation of the process would.
        let initialised = unsafe yaml_parser_initialize(parser)
        precondition(initialised == 1, "no memory for libyaml's parser")
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
    }

    deinit {
        // The parser was initialised in init, and nothing else deletes it.
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// The next event and its position. Throws libyaml's syntax errors.
    mutating func next() throws(SettingsFlaw) -> (event: Event, position: Position) {
        var event = unsafe yaml_event_t()
        while true {
            guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw syntaxFlaw() }
            // Filled by the call above, deleted once, and every string is copied before.
            defer { unsafe yaml_event_delete(&event) }
            let position = unsafe Position(event.start_mark, in: file)
            let start = unsafe event.start_mark.index
            span = unsafe start..<max(start, event.end_mark.index)
            switch unsafe event.type {
            case YAML_STREAM_START_EVENT: continue
            case YAML_DOCUMENT_START_EVENT: return (.documentStart, position)
            case YAML_DOCUMENT_END_EVENT: return (.documentEnd, position)
            case YAML_ALIAS_EVENT:
                return (.alias(anchor: unsafe String(yaml: event.data.alias.anchor) ?? ""), position)
            case YAML_SCALAR_EVENT:
                let scalar = unsafe event.data.scalar
                // libyaml gives `length` bytes at `value`, and has checked that they are UTF-8.
                let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
                return unsafe (
                    .scalar(
                        Scalar(
                            text: String(decoding: bytes, as: UTF8.self),
                            style: scalar.style == YAML_PLAIN_SCALAR_STYLE ? .plain : .quoted
                        ),
                        Properties(anchor: String(yaml: scalar.anchor), tag: String(yaml: scalar.tag))
                    ), position
                )
            case YAML_SEQUENCE_START_EVENT:
                let start = unsafe event.data.sequence_start
                return unsafe (
                    .sequenceStart(
                        Properties(
                            anchor: String(yaml: start.anchor), tag: String(yaml: start.tag),
                            isFlow: start.style == YAML_FLOW_SEQUENCE_STYLE)), position
                )
            case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, position)
            case YAML_MAPPING_START_EVENT:
                let start = unsafe event.data.mapping_start
                return unsafe (
                    .mappingStart(
                        Properties(
                            anchor: String(yaml: start.anchor), tag: String(yaml: start.tag),
                            isFlow: start.style == YAML_FLOW_MAPPING_STYLE)), position
                )
            case YAML_MAPPING_END_EVENT: return (.mappingEnd, position)
            default: return (.streamEnd, position)
            }
        }
    }

    private func syntaxFlaw() -> SettingsFlaw {
        let problem = unsafe String(yaml: parser.pointee.problem) ?? "not YAML"
        // A reader error (bytes that are not UTF-8) has an offset instead of a mark.
        if unsafe parser.pointee.error == YAML_READER_ERROR {
            let offset = unsafe min(parser.pointee.problem_offset, text.count)
            return SettingsFlaw(.error, at: position(ofByte: offset), "the file is not UTF-8 text: \(problem)")
        }
        let context = unsafe String(yaml: parser.pointee.context)
        let position = unsafe Position(parser.pointee.problem_mark, in: file)
        let message = (context.map { "\($0): " } ?? "") + problem
        let hint = SyntaxHint(problem: problem, context: context ?? "", line: line(position.line))
        return SettingsFlaw(.error, at: position, "not YAML: \(message)\(hint.map { "; \($0.rawValue)" } ?? "")")
    }

    private func position(ofByte offset: Int) -> Position {
        var position = Position(file: file, line: 1, column: 1)
        for index in 0..<offset {
            // `index` < offset <= text.count.
            let byte = unsafe text[index]
            if byte == UInt8(ascii: "\n") {
                position.line += 1
                position.column = 1
            } else if byte & 0xC0 != 0x80 {
                position.column += 1
            }
        }
        return position
    }

    /// The text of a line, counted from 1; empty if there is none.
    private func line(_ number: Int) -> String {
        // The buffer is alive as long as this value is, and the slice does not leave this function.
        let lines = unsafe text.split(
            separator: UInt8(ascii: "\n"), maxSplits: number, omittingEmptySubsequences: false
        )
        guard unsafe lines.count >= number else { return "" }
        return unsafe String(decoding: lines[number - 1], as: UTF8.self)
    }
}

extension Position {
    fileprivate init(_ mark: yaml_mark_t, in file: String) {
        self.init(file: file, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}

extension String {
    /// A copy of a NUL-terminated string of libyaml's; nil for a null pointer.
    fileprivate init?(yaml pointer: UnsafePointer<CChar>?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.init(cString: pointer)
    }

    fileprivate init?(yaml pointer: UnsafeMutablePointer<yaml_char_t>?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.init(cString: pointer)
    }
}
