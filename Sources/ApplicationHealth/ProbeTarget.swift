/// Where a request for an application's health goes: to it, or where its answer leads.
public struct ProbeTarget: Hashable, Sendable {
    public var isSecure: Bool
    public var port: UInt16
    /// Path and query.
    public var path: String

    public init(isSecure: Bool, port: UInt16, path: String) {
        self.isSecure = isSecure
        self.port = port
        self.path = path
    }

    /// Where a `Location` leads; nil if that is another host, which is not asked, or nothing that can be followed.
    ///
    /// - Parameter host: the name that this host was asked under, without a port.
    public func following(location: String, host: String) -> ProbeTarget? {
        guard !location.isEmpty, location.utf8.count <= 4_096 else { return nil }
        let text = Self.escaped(location.prefix { $0 != "#" }, absolute: false)
        if text.hasPrefix("//") { return absolute(text.dropFirst(2), isSecure: isSecure, host) }
        if text.lowercased().hasPrefix("http://") { return absolute(text.dropFirst(7), isSecure: false, host) }
        if text.lowercased().hasPrefix("https://") { return absolute(text.dropFirst(8), isSecure: true, host) }
        // Another scheme, such as `ftp:`.
        let first = text.prefix { !"/?".contains($0) }
        guard !first.contains(":") else { return nil }
        var next = self
        if text.hasPrefix("/") {
            next.path = text
        } else if text.hasPrefix("?") {
            next.path = path.prefix { $0 != "?" } + text
        } else {
            let folder = path.prefix { $0 != "?" }
            next.path = folder[...(folder.lastIndex(of: "/") ?? folder.startIndex)] + text
        }
        return next
    }

    private func absolute(_ text: Substring, isSecure: Bool, _ host: String) -> ProbeTarget? {
        let authority = text.prefix { !"/?".contains($0) }
        let rest = text[authority.endIndex...]
        var name = authority
        var port: UInt16? = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            name = authority[..<colon]
            port = UInt16(authority[authority.index(after: colon)...])
        }
        guard let port, port > 0, Self.bare(name).lowercased() == Self.bare(host[...]).lowercased() else { return nil }
        return ProbeTarget(isSecure: isSecure, port: port, path: rest.hasPrefix("/") ? String(rest) : "/\(rest)")
    }

    /// Without the brackets of an IPv6 address.
    private static func bare(_ name: Substring) -> Substring {
        name.hasPrefix("[") && name.hasSuffix("]") ? name.dropFirst().dropLast() : name
    }

    /// What kubelet sends for the path of a probe, which it reads as a URL: a fragment stays here. A path that is none
    /// is a path as a whole.
    static func requested(_ text: String) -> String {
        let sent = text.prefix { $0 != "#" }
        let fragment = text.dropFirst(sent.count)
        let path = sent.prefix { $0 != "?" }
        guard isEscapedSoundly(path), isEscapedSoundly(fragment) else {
            return escaped(
                text.replacing("%", with: "%25").replacing("?", with: "%3F").replacing("#", with: "%23"))
        }
        return escaped(sent)
    }

    /// Whether each percent sign begins an escape (RFC 3986 section 2.1).
    private static func isEscapedSoundly(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.indices.allSatisfy { index in
            bytes[index] != UInt8(ascii: "%")
                || index + 2 < bytes.count
                    && bytes[index + 1...index + 2].allSatisfy {
                        (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20)
                    }
        }
    }

    /// In visible ASCII; an absolute path where it is to be one.
    static func escaped(_ text: some StringProtocol, absolute: Bool = true) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = absolute && !text.hasPrefix("/") ? [0x2F] : []
        for byte in text.utf8 {
            if (0x21...0x7E).contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
