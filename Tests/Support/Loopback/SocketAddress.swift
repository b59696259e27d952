import System

/// A loopback address and port; written `127.0.0.1:80` or `[::1]:80`.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    public enum Host: Hashable, Sendable { case v4, v6 }

    public var host: Host
    public var port: UInt16

    public init(_ host: Host = .v4, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads what `description` writes; nil for anything that is not a loopback address.
    public init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        switch text[..<colon] {
        case "127.0.0.1": self.init(.v4, port: port)
        case "[::1]": self.init(.v6, port: port)
        default: return nil
        }
    }

    public var description: String {
        switch host {
        case .v4: "127.0.0.1:\(port)"
        case .v6: "[::1]:\(port)"
        }
    }
}

extension SocketAddress {
    /// In the form that the socket calls take.
    var system: System.SocketAddress {
        switch host {
        case .v4: System.SocketAddress(v4: 0x7f00_0001, port: port)
        case .v6: System.SocketAddress(v6: 0, 1, port: port)
        }
    }

    /// The local address of a bound socket.
    init?(boundTo descriptor: Int32) {
        guard let address = System.SocketAddress(.local, of: descriptor) else { return nil }
        self.init(address.isIPv6 ? .v6 : .v4, port: address.port)
    }
}
