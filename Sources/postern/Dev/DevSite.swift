import Control
import Glibc
import Authority

/// The demo's private folder: an authority, three identities, and the settings of three proxies. `deinit` removes it.
final class DevSite {
    /// The parties, named as their files.
    enum Party: String, CaseIterable {
        case server, client, intruder

        var path: String { "/ns/dev/sa/\(rawValue)" }
        var id: String { "spiffe://\(DevSite.trustDomain)\(path)" }
    }

    static let trustDomain = "dev.postern.test"

    let folder: String
    let inboundPort: UInt16
    let clientPort: UInt16
    let intruderPort: UInt16
    /// The port for the user's application; nil for the built-in one.
    let applicationPort: UInt16?

    init(withApplication: Bool) throws {
        let ports = try freeLoopbackPorts(4)
        (inboundPort, clientPort, intruderPort) = (ports[0], ports[1], ports[2])
        applicationPort = withApplication ? ports[3] : nil
        folder = try Self.makeFolder()
        // From here on `deinit` removes the folder, even if the rest fails.
        let intermediate = try CertificateAuthority(trustDomain: Self.trustDomain).intermediate()
        try writeFile(intermediate.bundlePEM, path: file("bundle.pem"), mode: 0o600)
        for party in Party.allCases {
            try intermediate.issue(path: party.path).write(
                certificate: file("\(party.rawValue).pem"), privateKey: file("\(party.rawValue).key"))
            try writeFile(settings(of: party), path: settingsPath(of: party), mode: 0o600)
        }
    }

    deinit {
        for party in Party.allCases {
            for suffix in ["pem", "key", "yaml"] { unsafe unlink(file("\(party.rawValue).\(suffix)")) }
        }
        // C strings are valid for each call.
        unsafe unlink(file("bundle.pem"))
        unsafe rmdir(folder)
    }

    func file(_ name: String) -> String { "\(folder)/\(name)" }

    func settingsPath(of party: Party) -> String { file("\(party.rawValue).yaml") }

    private func settings(of party: Party) -> String {
        let head = """
            identity:
              files:
                certificate: \(party.rawValue).pem
                privateKey: \(party.rawValue).key
                trustBundles: {\(Self.trustDomain): bundle.pem}
            workers: 1
            limits: {drainTimeout: 1s}

            """
        return head + (party == .server ? inbound : outbound(port: party == .client ? clientPort : intruderPort))
    }

    private var inbound: String {
        let upstream = applicationPort.map { "{endpoints: [\"127.0.0.1:\($0)\"]}" } ?? "{builtin: echo}"
        return """
            accessLog: stdout
            listeners:
              - name: app
                mode: inbound
                bind: 127.0.0.1:\(inboundPort)
                routes:
                  - name: app
                    upstream: \(upstream)
                    policy: callers
            policies:
              callers:
                rules:
                  - {name: client, action: allow, identities: ["\(Party.client.id)"]}

            """
    }

    private func outbound(port: UInt16) -> String {
        """
        accessLog: off
        listeners:
          - name: to-app
            mode: outbound
            bind: 127.0.0.1:\(port)
            routes:
              - name: app
                upstream:
                  endpoints: ["127.0.0.1:\(inboundPort)"]
                  identities: ["\(Party.server.id)"]

        """
    }

    private static func makeFolder() throws -> String {
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/postern-dev.XXXXXX".utf8CString)
        // The template is NUL-terminated and replaced in place; the folder is created with mode 0700.
        guard unsafe mkdtemp(&template) != nil else {
            throw PKIFault.file(path: base, operation: "create a folder", errno: errno)
        }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
