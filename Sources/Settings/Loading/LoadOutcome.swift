/// What came of reading a settings file: every flaw, in the order of the file, and the settings if none is an error.
public struct LoadOutcome: Sendable {
    /// Nil exactly if `flaws` holds an error.
    public var settings: Settings?
    public var flaws: [SettingsFlaw]

    /// Where plaintext goes on this host: the endpoints of inbound routes that are loopback addresses.
    public var applications: [Located<Endpoint>] = []

    /// Of the file, as far as it could be read.
    public var text: [UInt8]

    public init(settings: Settings?, flaws: [SettingsFlaw], text: [UInt8] = []) {
        self.settings = settings
        self.flaws = flaws
        self.text = text
    }
}
