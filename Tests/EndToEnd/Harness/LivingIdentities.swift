import Glibc
import Loopback
import Authority
import PosternTesting

/// Identities of one test that change while it runs: an authority of its own, whose files stand in the test's folder.
final class LivingIdentities {
    let folder: TemporaryFolder
    private(set) var authority: CertificateAuthority

    /// Writes `bundle.pem`, the server's `server.pem` and `server.key`, and no client yet.
    init(_ folder: TemporaryFolder) throws {
        self.folder = folder
        authority = try CertificateAuthority(trustDomain: "example.org")
        try folder.write(authority.bundlePEM, to: "bundle.pem")
        try issue("server", TestIdentities.serverPath)
    }

    /// Writes `name.pem` and `name.key`.
    @discardableResult
    func issue(
        _ name: String, _ path: String, validity: Validity = .hours(24), by other: CertificateAuthority? = nil,
        serialNumber: [UInt8]? = nil
    ) throws -> IssuedCertificate {
        let request = LeafRequest(path: path, validity: validity).with { $0.serialNumber = serialNumber }
        let issued = try (other ?? authority).issue(request)
        try put(issued.privateKeyPEM, at: "\(name).key")
        try put(issued.chainPEM, at: "\(name).pem")
        return issued
    }

    /// Puts a whole file into the place of another, as a careful writer does.
    func put(_ text: String, at name: String) throws {
        let next = try folder.write(text, to: "\(name).next")
        guard unsafe rename(next, folder.file(name)) == 0 else { throw HarnessFault.noBinary(name) }
    }

    func write(bundleOf authorities: [CertificateAuthority]) throws {
        try put(authorities.map(\.bundlePEM).joined(), at: "bundle.pem")
    }

    /// Writes the list of revoked certificates `crl.pem`.
    func revoke(_ serialNumbers: [[UInt8]], validity: Validity = .hours(24)) throws {
        try put(try authority.revocationListPEM(of: serialNumbers, validity: validity), at: "crl.pem")
    }
}
