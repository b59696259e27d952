import Control
import Foundation
import Authority
import PosternTesting

/// A folder with an identity and a settings file.
final class Site: Sendable {
    let folder: TemporaryFolder
    let authority: CertificateAuthority
    let inboundPort: UInt16
    let outboundPort: UInt16
    let adminPort: UInt16

    /// `change` turns the settings' text into what a test wants.
    init(id: String = "/ns/default/sa/server", change: (String) -> String = { $0 }) throws {
        folder = try TemporaryFolder()
        authority = try CertificateAuthority(trustDomain: "example.org")
        let ports = try freeLoopbackPorts(3)
        (inboundPort, outboundPort, adminPort) = (ports[0], ports[1], ports[2])
        try writeFile(authority.bundlePEM, path: folder.file("bundle.pem"), mode: 0o644)
        try authority.issue(path: id).write(certificate: folder.file("svid.pem"), privateKey: folder.file("svid.key"))
        let text = """
            identity:
              files:
                certificate: svid.pem
                privateKey: svid.key
                trustBundles: {example.org: bundle.pem}
            admin: {bind: "127.0.0.1:\(adminPort)"}
            workers: 2
            accessLog: access.log
            listeners:
              - name: app
                mode: inbound
                bind: 127.0.0.1:\(inboundPort)
                routes:
                  - name: special
                    match: {sni: [special.test]}
                    upstream: {builtin: discard}
                    policy: nobody
                  - {name: app, upstream: {builtin: echo}, policy: callers}
              - name: to-app
                mode: outbound
                bind: 127.0.0.1:\(outboundPort)
                routes:
                  - name: app
                    upstream:
                      endpoints: ["127.0.0.1:\(inboundPort)"]
                      identities: ["spiffe://example.org/ns/default/sa/server"]
            policies:
              callers:
                rules:
                  - {name: old, action: deny, identities: ["spiffe://example.org/ns/legacy/**"]}
                  - {name: all, action: allow, identities: ["spiffe://example.org/**"], sources: ["127.0.0.0/8"]}
              nobody:
                mode: enforce
                rules:
                  - {name: none, action: allow, identities: ["spiffe://example.org/none"]}
            limits: {drainTimeout: 1s}

            """
        try writeFile(change(text), path: settings, mode: 0o644)
    }

    var settings: String { folder.file("postern.yaml") }
}
