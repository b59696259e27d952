import System

extension FileFlaw {
    /// The message for an unreadable settings file.
    var settingsMessage: String {
        switch self {
        case .cannotOpen(let number): "the file cannot be opened: \(systemMessage(number))"
        case .cannotRead(let number): "the file cannot be read: \(systemMessage(number))"
        case .notAFile: "not a regular file: reading a FIFO or a device could block the proxy"
        case .tooLarge(let limit): "the file is larger than \(limit / 1_024) KiB"
        }
    }
}
