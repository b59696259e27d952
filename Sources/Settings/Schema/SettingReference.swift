/// What one key of the settings file is for; `Settings.reference` lists them all.
public struct SettingReference: Hashable, Sendable {
    /// When a running proxy serves by another value.
    public enum Moment: Hashable, Sendable {
        /// As soon as the file is read again.
        case now
        /// At the next start.
        case start
    }

    /// The path of the mapping that holds the key; empty at the top of the file.
    public let section: String
    public let key: String
    /// What to write, in words.
    public let type: String
    /// What holds without the key, as the file would write it; nil if there is nothing to say.
    public let defaultValue: String?
    public let meaning: String
    public let appliesAt: Moment

    /// Keys joined by dots; `[]` stands for an item of a list, a word in capitals for a name that one chooses.
    public var path: String { section.isEmpty ? key : "\(section).\(key)" }
}
