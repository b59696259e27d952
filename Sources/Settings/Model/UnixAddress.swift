/// The name of a Unix socket (unix(7)): `unix:/path`, `unix:///path`, or `unix:@name` in the abstract namespace.
public struct UnixAddress: Hashable, Sendable, CustomStringConvertible {
    /// An absolute path, or `@` and a name.
    public let name: String
    public var isAbstract: Bool { name.hasPrefix("@") }
    public var description: String { "unix:\(name)" }

    /// - Parameter text: what follows `unix:`.
    init(parsing text: String) throws(UnixAddressFlaw) {
        var name = text
        if name.hasPrefix("///") { name.removeFirst(2) }
        guard !name.isEmpty, name != "@", name != "/" else { throw .noName }
        guard name.hasPrefix("/") || name.hasPrefix("@") else { throw .relativePath }
        guard !name.hasSuffix("/") else { throw .folder }
        guard !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else { throw .control }
        // sun_path has 108 bytes, the terminating NUL included.
        guard name.utf8.count < 108 else { throw .long }
        self.name = name
    }
}

/// Why a text does not name a Unix socket.
public enum UnixAddressFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case noName, relativePath, folder, control, long

    public var description: String {
        switch self {
        case .noName: "the path of the socket is missing, or its name behind the @"
        case .relativePath: "the path of the socket must be absolute: unix:/run/app.sock"
        case .folder: "a path that ends with / is a folder"
        case .control: "it has a control character in it"
        case .long: "the name of a Unix socket is limited to 107 bytes"
        }
    }
}
