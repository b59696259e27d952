import Glibc
import Identity
import TLS
import Authority
import Testing
@testable import SVID

/// The identities of the simulated tests, made once: keys of fixed size, so that a seed is one history.
struct TestIdentities: Sendable {
    let server: IdentityMaterial
    let allowed: IdentityMaterial
    let intruder: IdentityMaterial
    /// Of another authority that claims the same trust domain.
    let forged: IdentityMaterial
    /// The server with a bundle of another authority.
    let elsewhere: IdentityMaterial

    static let shared: TestIdentities = {
        do {
            return try TestIdentities()
        } catch {
            preconditionFailure("no test identities: \(error)")
        }
    }()

    init() throws {
        let request = AuthorityRequest(keyKind: .ed25519)
        let authority = try CertificateAuthority(trustDomain: "example.org", request: request)
        let other = try CertificateAuthority(trustDomain: "example.org", request: request)
        server = try Self.material(authority, "/ns/default/sa/server", trusting: authority)
        allowed = try Self.material(authority, "/ns/default/sa/client", trusting: authority)
        intruder = try Self.material(authority, "/ns/default/sa/intruder", trusting: authority)
        elsewhere = try Self.material(other, "/ns/default/sa/server", trusting: other)
        forged = try Self.material(other, "/ns/default/sa/client", trusting: other)
    }

    private static func material(
        _ authority: CertificateAuthority, _ path: String, trusting: CertificateAuthority
    ) throws -> IdentityMaterial {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let issued = try authority.issue(LeafRequest(path: path, keyKind: .ed25519))
        try issued.write(certificate: folder.path("svid.pem"), privateKey: folder.path("svid.key"))
        try folder.write("bundle.pem", trusting.bundlePEM)
        let files = IdentityFiles(
            certificate: folder.path("svid.pem"), privateKey: folder.path("svid.key"),
            trustBundles: [.init(trustDomain: try TrustDomain(parsing: "example.org"), path: folder.path("bundle.pem"))]
        )
        let loaded = IdentityMaterial.load(files, now: now())
        return try #require(loaded.material, "\(loaded.flaws)")
    }

    static func now() -> Int64 { Int64(time(nil)) }
}

/// A folder of its own, for files that must exist for a moment.
struct TemporaryFolder {
    let root: String
    private var names: [String] = []

    init() throws {
        var template = Array("/tmp/postern-test-XXXXXX".utf8CString)
        // Safe: the template is writable and zero-terminated.
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return false }
            return unsafe mkdtemp(base) != nil
        }
        try #require(made)
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    func write(_ name: String, _ text: String) throws {
        let file = unsafe try #require(fopen(path(name), "w"))
        _ = unsafe fputs(text, file)
        _ = unsafe fclose(file)
    }

    func remove() {
        for name in ["svid.pem", "svid.key", "bundle.pem"] { _ = unsafe unlink(path(name)) }
        _ = unsafe rmdir(root)
    }
}
