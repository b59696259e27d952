/// What came of reading a settings file: every flaw, in the order of the file, and the settings if none is an error.
public struct LoadOutcome: Sendable {
    /// Nil exactly if `flaws` holds an error.
    public var settings: Settings?
    public var flaws: [SettingsFlaw]

    /// Where the values of the settings stand in the file.
    public var sources: SourceMap
}
