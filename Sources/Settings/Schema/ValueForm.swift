/// What of a value's type a JSON Schema can say: editors complete and mark by it, and the reader decides.
enum ValueForm: Sendable {
    case any
    case boolean
    case words([String])
    case integer(ClosedRange<Int>)
    /// Text, which YAML may take for a number.
    case scalar
    case list
}
