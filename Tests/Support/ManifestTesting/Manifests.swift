/// A manifest as charts and people write them.
public struct SampleManifest: CustomStringConvertible, Sendable {
    public let description: String
    /// How many pods of it get a sidecar.
    public let pods: Int
    public let text: String

    public var bytes: [UInt8] { Array(text.utf8) }

    init(_ name: String, pods: Int = 1, _ text: String) {
        description = name
        self.pods = pods
        self.text = text
    }
}

public enum Manifests {
    public static let all = charts + styles + lineEnds + oddities + probes
}
