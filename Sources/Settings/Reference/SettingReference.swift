/// What one key of the settings file is for; `Settings.reference` lists them all.
public struct SettingReference: Hashable, Sendable {
    /// Keys joined by dots; `[]` after a list's key stands for an item of it, a word in capitals for a name one
    /// chooses.
    public let path: String
    /// What to write, in words.
    public let type: String
    /// What holds without the key, as the file would write it; nil if there is nothing to say.
    public let defaultValue: String?
    public let meaning: String

    init(_ path: String, _ type: String, default defaultValue: String? = nil, _ meaning: String) {
        self.path = path
        self.type = type
        self.defaultValue = defaultValue
        self.meaning = meaning
    }

    /// The path up to the last dot; empty at the top of the file.
    var section: String {
        path.lastIndex(of: ".").map { String(path[..<$0]) } ?? ""
    }

    /// The path after the last dot.
    var key: String {
        path.lastIndex(of: ".").map { String(path[path.index(after: $0)...]) } ?? path
    }
}
