import FoundationEssentials
import System

/// Where the API server is, and how this client proves itself to it. The token is in a file, and is read anew for each
/// request: the kubelet renews it. It is in no log and no error.
public struct APIServer: Sendable {
    public let host: String
    public let port: UInt16
    /// PEM file of the root certificates; nil: the system's.
    public let authorities: String?
    public let tokenFile: String?
    /// The namespace of the pod that this runs in.
    public let namespace: String

    /// - Parameter url: `https://host[:port]`, nothing else.
    public init(
        url: String, authorities: String?, tokenFile: String?, namespace: String = "default"
    ) throws(APIFault) {
        let scheme = "https://"
        guard url.hasPrefix(scheme) else { throw .configuration("the API server's URL must begin with \(scheme)") }
        var rest = url.dropFirst(scheme.count)
        if rest.last == "/" { rest.removeLast() }
        guard let (host, port) = Self.split(String(rest)) else {
            throw .configuration("\"\(url)\" is not https://host:port")
        }
        try self.init(
            host: host, port: port, authorities: authorities, tokenFile: tokenFile, namespace: namespace)
    }

    private init(
        host: String, port: UInt16, authorities: String?, tokenFile: String?, namespace: String
    ) throws(APIFault) {
        guard !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy(Self.isHostByte), port != 0 else {
            throw .configuration("the API server's host or port is none")
        }
        self.host = host
        self.port = port
        self.authorities = authorities
        self.tokenFile = tokenFile
        self.namespace = namespace
    }

    /// As the kubelet tells each pod: the service `kubernetes` in the environment, and the service account's files.
    ///
    /// - Parameter environment: nil: that of this process.
    public static func inCluster(
        environment: [String: String]? = nil, folder: String = serviceAccountFolder
    ) throws(APIFault) -> APIServer {
        let environment = environment ?? ProcessInfo.processInfo.environment
        guard let host = environment["KUBERNETES_SERVICE_HOST"], let text = environment["KUBERNETES_SERVICE_PORT"],
            let port = UInt16(text)
        else {
            throw .configuration(
                "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is not a pod; name the server")
        }
        guard let namespace = FileContents.text(path: "\(folder)/namespace", limitBytes: 1_024) else {
            throw .configuration("\(folder)/namespace cannot be read: the pod has no token of its service account")
        }
        return try APIServer(
            host: host, port: port, authorities: "\(folder)/ca.crt", tokenFile: "\(folder)/token",
            namespace: namespace.filter { !$0.isWhitespace })
    }

    public static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// Of the Host field.
    var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// The Authorization field with its line end, or nothing.
    func authorization() throws(APIFault) -> [UInt8] {
        guard let tokenFile else { return [] }
        var contents: FileContents
        do throws(FileFlaw) {
            contents = try FileContents.read(path: tokenFile, limitBytes: Self.tokenBytesAtMost)
        } catch {
            throw .configuration("the token in \(tokenFile) cannot be read")
        }
        defer { FileContents.overwrite(&contents.bytes) }
        let token = contents.bytes.prefix { $0 != 0x0A && $0 != 0x0D }
        // Anything else could add fields to the request.
        guard !token.isEmpty, token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .configuration("\(tokenFile) does not hold a token")
        }
        return Array("Authorization: Bearer ".utf8) + token + [0x0D, 0x0A]
    }

    private static func split(_ authority: String) -> (host: String, port: UInt16)? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            let host = String(authority[authority.index(after: authority.startIndex)..<end])
            let rest = authority[authority.index(after: end)...]
            guard !rest.isEmpty else { return (host, 443) }
            guard rest.first == ":", let port = UInt16(rest.dropFirst()) else { return nil }
            return (host, port)
        }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return (authority, 443)
        case 2: return UInt16(parts[1]).map { (String(parts[0]), $0) }
        default: return nil
        }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static let tokenBytesAtMost = 16 * 1_024
}
