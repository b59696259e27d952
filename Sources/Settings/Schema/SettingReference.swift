/// The reference entry of one key of the settings file; `Settings.reference` lists them all.
public struct SettingReference: Hashable, Sendable {
    /// When a changed value takes effect.
    public enum Moment: Hashable, Sendable {
        /// At the next reload.
        case now
        /// At the next start.
        case start
    }

    /// The path of the mapping that holds the key; empty at the top of the file.
    public let section: String
    public let key: String
    /// The value to write, in words.
    public let type: String
    /// The default as written in the file; nil if there is none to show.
    public let defaultValue: String?
    public let meaning: String
    public let appliesAt: Moment

    /// Keys joined by dots; `[]` is a list item, a word in capitals a user-chosen name.
    public var path: String { section.isEmpty ? key : "\(section).\(key)" }
}
