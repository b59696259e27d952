/// The sizes of RFC 8446, section 5, for the cipher suites that Postern speaks.
enum RecordFormat {
    static let headerBytes = 5
    static let tagBytes = 16
    static let nonceBytes = 12
    /// The most that one record carries.
    static let contentBytes = 16_384
    /// The most that one record holds after its header: the content, its type or padding, and the tag (section 5.4).
    static let maximumBodyBytes = contentBytes + 1 + tagBytes
    /// What a record adds to its content.
    static let overheadBytes = headerBytes + 1 + tagBytes
}

/// What a record carries (RFC 8446, section 5.1).
enum RecordContentType: UInt8 {
    case changeCipherSpec = 20
    case alert = 21
    case handshake = 22
    case applicationData = 23
}
