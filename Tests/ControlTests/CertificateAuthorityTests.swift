import Foundation
import Authority
import PosternTesting
import Testing

@Suite("The throw-away certificate authority")
struct CertificateAuthorityTests {
    @Test("openssl accepts a leaf of every key kind below an intermediate", arguments: KeyKind.allCases)
    func chainVerifies(kind: KeyKind) throws {
        let folder = try TemporaryFolder()
        let root = try CertificateAuthority(trustDomain: "example.org", keyKind: kind)
        let leaf = try root.intermediate(AuthorityRequest(keyKind: kind)).issue(LeafRequest(keyKind: kind))
        try writeFile(root.bundlePEM, path: folder.file("bundle.pem"), mode: 0o644)
        try leaf.write(certificate: folder.file("svid.pem"), privateKey: folder.file("svid.key"))
        let verdict = try run(
            "openssl", "verify", "-auth_level", "0", "-x509_strict", "-CAfile", folder.file("bundle.pem"),
            "-untrusted", folder.file("svid.pem"), folder.file("svid.pem"))
        #expect(verdict.status == 0, "\(verdict.output)")
        let text = try run("openssl", "x509", "-noout", "-text", "-in", folder.file("svid.pem")).output
        #expect(text.contains("URI:spiffe://example.org/ns/default/sa/client"))
        #expect(text.contains("Digital Signature"))
        let key = try run("openssl", "pkey", "-noout", "-check", "-in", folder.file("svid.key"))
        #expect(key.status == 0, "\(key.output)")
    }

    @Test("a private key is readable by its owner alone")
    func keyMode() throws {
        let folder = try TemporaryFolder()
        let authority = try CertificateAuthority(trustDomain: "example.org")
        try authority.issue().write(certificate: folder.file("a.pem"), privateKey: folder.file("a.key"))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file("a.key"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("a key in PEM reads back as the same key", arguments: KeyKind.allCases)
    func keyRoundTrip(kind: KeyKind) throws {
        let key = try KeyPair.generate(kind)
        #expect(try KeyPair(pem: key.privateKeyPEM) == key)
    }

    @Test(
        "openssl sees what was made wrong on purpose",
        arguments: [
            (
                LeafRequest().with { $0.basicConstraints = BasicConstraints(isCA: true, pathLength: 3) },
                "CA:TRUE, pathlen:3"
            ),
            (LeafRequest().with { $0.keyUsage = [.keyCertSign, .crlSign] }, "Certificate Sign, CRL Sign"),
            (
                LeafRequest().with { $0.extendedKeyUsage = [.codeSigning, .any] },
                "Code Signing, Any Extended Key Usage"
            ),
            (LeafRequest(subjectAltNames: [.uri("a:b"), .uri("a:b")]), "URI:a:b, URI:a:b"),
            (LeafRequest(subjectAltNames: [.dns("d.test"), .email("e@d.test")]), "DNS:d.test, email:e@d.test"),
            (LeafRequest(subjectAltNames: [.otherName("spiffe://o")]), "othername: 1.3.6.1.4.1.55555.1"),
            (LeafRequest().with { $0.extensions = [.unknown(critical: true)] }, "1.3.6.1.4.1.55555.2: critical"),
            (
                LeafRequest().with { $0.nameConstraints = NameConstraints(excludedURIHosts: [".test"]) },
                "Excluded:\n                  URI:.test"
            ),
            (
                LeafRequest(validity: Validity(notBefore: -631_152_001, notAfter: 0)),
                "Not Before: Dec 31 23:59:59 1949 GMT"
            ),
            (
                LeafRequest(validity: Validity(notBefore: 0, notAfter: 2_524_608_000)),
                "Not After : Jan  1 00:00:00 2050 GMT"
            ),
            (
                LeafRequest(validity: Validity(notBefore: 951_782_400, notAfter: 0)),
                "Not Before: Feb 29 00:00:00 2000 GMT"
            ),
        ])
    func wrongOnPurpose(request: LeafRequest, expected: String) throws {
        let folder = try TemporaryFolder()
        let leaf = try CertificateAuthority(trustDomain: "example.org").issue(request)
        try leaf.write(certificate: folder.file("a.pem"), privateKey: folder.file("a.key"))
        let text = try run("openssl", "x509", "-noout", "-text", "-in", folder.file("a.pem")).output
        #expect(text.contains(expected), "\(text)")
    }

    @Test("every certificate has a serial number of its own")
    func serialNumbers() throws {
        let authority = try CertificateAuthority(trustDomain: "example.org")
        let key = try KeyPair.generate(.p256)
        let leaves = try (0..<20).map { _ in try authority.issue(LeafRequest(key: key)).leafDER }
        #expect(Set(leaves).count == 20)
    }
}
