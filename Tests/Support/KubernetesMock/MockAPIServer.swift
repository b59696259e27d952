import Authority
import Foundation
public import Loopback
public import PosternTesting

/// A Kubernetes API server for tests, in Python: see `kubernetes_api.py`. Known as `localhost` by the authority in
/// `api-ca.pem` of the folder; the token that is right is in `api-token`, and `reviseToken` changes it.
public final class MockAPIServer {
    public let port: UInt16
    public var url: String { "https://localhost:\(port)" }
    public var authorities: String { folder.file("api-ca.pem") }
    public var tokenFile: String { folder.file("api-token") }
    public let process: ChildProcess
    private let folder: TemporaryFolder

    /// - Parameters:
    ///   - definitions: files of CustomResourceDefinitions.
    ///   - kubelet: a folder in which ConfigMaps are mounted.
    ///   - access: a file of manifests, and the beginning of a user agent, `NAME/`, whose clients have only the rights
    ///     of the ClusterRole of that name.
    public init(
        _ folder: TemporaryFolder, definitions: [String] = [], kubelet: String? = nil,
        access: (roles: String, userAgent: String)? = nil
    ) throws {
        self.folder = folder
        let authority = try CertificateAuthority(
            trustDomain: "api.test", request: AuthorityRequest(subjectAltNames: []))
        let issued = try authority.issue(LeafRequest().with { $0.subjectAltNames = [.dns("localhost")] })
        try folder.write(authority.bundlePEM, to: "api-ca.pem")
        try folder.write(issued.chainPEM, to: "api.pem")
        try folder.write(issued.privateKeyPEM, to: "api.key")
        try folder.write("token-1\n", to: "api-token")
        guard let script = Bundle.module.path(forResource: "kubernetes_api", ofType: "py"),
            let python = ProcessInfo.processInfo.environment["POSTERN_PYTHON"]
        else { throw MockFault(description: "scripts/test makes the Python that this needs") }
        let options =
            definitions.flatMap { ["--crd", $0] } + (kubelet.map { ["--kubelet", $0] } ?? [])
            + (access.map { ["--rbac", $0.roles, $0.userAgent] } ?? [])
        process = try ChildProcess(
            [python, script, folder.file("api.pem"), folder.file("api.key"), folder.file("api-token")] + options)
        guard let port = process.standardOutput.awaitLine(within: .seconds(60), { UInt16($0) }) else {
            throw MockFault(description: process.standardError.text)
        }
        self.port = port
    }

    deinit { process.stop() }

    public func reviseToken(_ token: String) throws {
        let path = tokenFile
        try folder.write(token + "\n", to: "api-token.new")
        guard unsafe rename(path + ".new", path) == 0 else { throw MockFault(description: "rename") }
    }
}

public struct MockFault: Error, CustomStringConvertible {
    public let description: String
}
