import Authority
import Foundation
import Glibc
import KubernetesMock
import Loopback
import PosternTesting
import Testing

/// `postern-injector`, as kube-apiserver and others call it.
@Suite("The injector")
struct InjectorTests {
    @Test(
        """
        reviews of every kind are answered with patches that apply, beside garbage, slow clients, 3 MB and a \
        certificate that changes under load; SIGTERM drains
        """)
    func webhook() throws {
        let folder = try TemporaryFolder()
        let authority = try CertificateAuthority(trustDomain: "cluster.test")
        try folder.write(authority.certificatePEM, to: "ca.pem")
        for name in ["one", "two", "flawed", "serving"] {
            try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: false)
        }
        for name in ["one", "two", "flawed"] {
            let host = name == "flawed" ? "other.svc" : "postern-injector.postern-system.svc"
            try authority.issue(LeafRequest(subjectAltNames: [.dns(host)])).write(
                certificate: folder.file("\(name)/tls.crt"), privateKey: folder.file("\(name)/tls.key"))
        }
        for name in ["client", "other"] {
            try authority.issue(LeafRequest().with { $0.commonName = "kube-\(name)" }).write(
                certificate: folder.file("\(name).pem"), privateKey: folder.file("\(name).key"))
        }
        let links = [("..data", "one"), ("tls.crt", "..data/tls.crt"), ("tls.key", "..data/tls.key")]
        for (name, target) in links {
            try FileManager.default.createSymbolicLink(
                atPath: folder.file("serving/\(name)"),
                withDestinationPath: name == "..data" ? folder.file(target) : target)
        }
        let injector = try Self.start([
            "--certificate", folder.file("serving/tls.crt"), "--private-key", folder.file("serving/tls.key"),
            "--client-ca", folder.file("ca.pem"), "--client-name", "kube-client", "--threads", "2",
            "--drain-delay", "1s",
        ])
        let ports = try #require(
            injector.standardError.awaitLine { line in
                line.firstMatch(of: /"adminPort":(\d+).*"port":(\d+)/).map { (String($0.2), String($0.1)) }
            }, "\(injector.standardError.text)")
        let samples = try Metrics.samples(at: "127.0.0.1:\(ports.1)")
        #expect(samples["postern_injector_certificate_sound{}"] == "1", "\(samples)")
        let python = try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
        let script = try #require(Bundle.module.path(forResource: "injector_check", ofType: "py"))
        let client = try ChildProcess([python, script, ports.0, ports.1, "\(injector.identifier)", folder.path])
        #expect(client.awaitExit(within: .seconds(100)) == .code(0), "\(client.standardError.text)")
        #expect(injector.awaitExit(within: .seconds(10)) == .code(0))
        let log = injector.standardError.text
        #expect(log.contains("the certificate is kept as it is"))
        #expect(log.contains(#""message":"injected""#) && log.contains(#""namespace":"shop""#))
        #expect(log.split(separator: "\n").allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    }

    @Test("a certificate that cannot be served ends the start, with its reason")
    func flawedStart() throws {
        let folder = try TemporaryFolder()
        let authority = try CertificateAuthority(trustDomain: "cluster.test")
        let host = SubjectAltName.dns("postern-injector.postern-system.svc")
        try authority.issue(LeafRequest(subjectAltNames: [host])).write(
            certificate: folder.file("a.crt"), privateKey: folder.file("a.key"))
        try authority.issue(LeafRequest(subjectAltNames: [host], validity: .over)).write(
            certificate: folder.file("b.crt"), privateKey: folder.file("b.key"))
        for (certificate, key, more, reason) in [
            ("a.crt", "a.key", ["--host", "other.svc"], "is not for other.svc"), ("b.crt", "b.key", [], "has expired"),
            ("a.crt", "b.key", [], "is not that of the certificate"), ("a.crt", "a.crt", [], "has no private key"),
            ("c.crt", "a.key", [], "does not exist"),
        ] {
            let words = ["--certificate", folder.file(certificate), "--private-key", folder.file(key)] + more
            let process = try Self.start(words)
            #expect(process.awaitExit() == .code(2))
            #expect(process.standardError.text.contains(reason), "\(process.standardError.text)")
            let check = try ChildProcess([InjectorBinary.path(), "check"] + words)
            #expect(check.awaitExit() == .code(2) && check.standardError.text.contains(reason))
        }
    }

    @Test(
        """
        replicas make, share and renew their certificate, and the API server trusts it before it is served; an API \
        server that fails, and a Secret of somebody else, change nothing
        """)
    func selfManaged() throws {
        let folder = try TemporaryFolder()
        let api = try MockAPIServer(folder)
        let managed = [
            "--self-managed", "--server", api.url, "--server-ca", api.authorities, "--token-file", api.tokenFile,
            "--certificate-lifetime", "12s",
        ]
        let replicas = [try Self.start(managed), try Self.start(managed)]
        let ports = try replicas.map { replica in
            try #require(
                replica.standardError.awaitLine(within: .seconds(30)) { line in
                    line.firstMatch(of: /"message":"serving".*"port":(\d+)/).map { String($0.1) }
                }, "\(replica.standardError.text)")
        }
        let python = try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
        let script = try #require(Bundle.module.path(forResource: "self_managed_check", ofType: "py"))
        let client = try ChildProcess(
            [python, script, try PosternBinary.path(), api.url, api.authorities, api.tokenFile, "postern-system"]
                + ports)
        #expect(client.awaitExit(within: .seconds(90)) == .code(0), "\(client.standardError.text)")
        let foreign = try Self.start(managed + ["--certificate-secret", "foreign"])
        #expect(
            foreign.standardError.awaitLine { $0.contains("foreign is not the injector's") ? true : nil } == true,
            "\(foreign.standardError.text)")
        foreign.signal(SIGTERM)
        #expect(foreign.awaitExit() == .code(0))
        api.process.stop()
        #expect(
            replicas[0].standardError.awaitLine(within: .seconds(30)) {
                $0.contains("the certificate is kept as it is") ? true : nil
            } == true, "\(replicas[0].standardError.text)")
        for replica in replicas {
            replica.signal(SIGTERM)
            #expect(replica.awaitExit(within: .seconds(20)) == .code(0))
            let log = replica.standardError.text
            #expect(log.contains("there is no webhook configuration yet"))
            #expect(!log.contains("PRIVATE KEY") && !log.contains("token-1"))
        }
    }

    private static func start(_ words: [String]) throws -> ChildProcess {
        try ChildProcess(
            [InjectorBinary.path(), "run", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"] + words)
    }
}

enum InjectorBinary {
    /// Beside the proxy's, or as `POSTERN_INJECTOR` says.
    static func path() throws -> String {
        let beside = URL(fileURLWithPath: try PosternBinary.path()).deletingLastPathComponent()
        let path =
            ProcessInfo.processInfo.environment["POSTERN_INJECTOR"]
            ?? beside.appendingPathComponent("postern-injector").path
        guard FileManager.default.isExecutableFile(atPath: path) else { throw HarnessFault.noBinary(path) }
        return path
    }
}
