import System

extension FileFlaw {
    /// What is said of a settings file that could not be read.
    var settingsMessage: String {
        switch self {
        case .cannotOpen(let number): "the file cannot be opened: \(systemMessage(number))"
        case .cannotRead(let number): "the file cannot be read: \(systemMessage(number))"
        case .notAFile: "the file is not a regular one: a FIFO or a device could keep the proxy waiting"
        case .tooLarge(let limit): "the file is larger than \(limit / 1_024) KiB"
        }
    }
}
