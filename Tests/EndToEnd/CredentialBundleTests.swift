import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// An identity whose key and chain are in one file, as the kubelet writes a `podCertificate` volume; all of it made by
/// openssl.
@Suite("Credential bundles")
struct CredentialBundleTests {
    @Test(
        "key and chain of one file are renewed together, however fast, and in any order",
        arguments: EventLoopKind.allCases)
    func rotation(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let volume = try PodCertificateVolume(in: stage)
            var settings = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}", policy: "callers")])
            settings.identity = """
                identity:
                  files:
                    certificate: \(volume.path)/credential-bundle.pem
                    trustBundles: {example.org: \(volume.path)/trust-bundle.pem}
                """
            let proxy = try stage.proxy(settings)
            func served() throws -> String {
                let client = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
                #expect(client.echoes("hello\n"))
                client.process.stop()
                // The line of the leaf, as it is verified.
                return client.process.standardError.text.replacing("CN = ", with: "CN=")
            }
            let held = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(held.echoes("before\n"))
            #expect(try served().contains("CN=svid-1\n"))
            // A reader that opens the path twice would get halves of two renewals.
            for number in 2...9 { try volume.rotate(isKeyFirst: number % 2 == 0) }
            try proxy.awaitReload()
            #expect(eventually { (try? served().contains("CN=svid-9\n")) == true })
            #expect(held.echoes("still here\n"))
            held.process.stop()
            let log = proxy.process.standardError.text
            #expect(!log.contains("does not match") && !log.contains("refused, the old state stays"), "\(log)")
            try volume.write("", isKeyFirst: true, keyOf: "client")
            try proxy.awaitLog(containing: "the key does not match the certificate")
            #expect(try served().contains("CN=svid-9\n"))
        }
    }
}

/// What the kubelet makes of a projected volume: files behind links into a folder, whose link is swapped.
private final class PodCertificateVolume {
    let path: String
    private let folder: TemporaryFolder
    private var number = 0
    private var version = 0

    /// Writes `client.pem` and `client.key` beside the volume.
    init(in stage: Stage) throws {
        folder = stage.folder
        path = folder.file("volume")
        try folder.write(Self.extensions, to: "openssl.cnf")
        try #require(unsafe mkdir(path, 0o700) == 0)
        for name in Self.names { try #require(unsafe symlink("..data/\(name)", "\(path)/\(name)") == 0) }
        try issue("root", "root", signed: false)
        try issue("client", "client")
        try rotate(isKeyFirst: true)
    }

    /// Issues another SVID, `svid-NUMBER`.
    func rotate(isKeyFirst: Bool) throws {
        number += 1
        try issue("svid", "svid-\(number)")
        try write("# of the signer\n", isKeyFirst: isKeyFirst, keyOf: "svid")
    }

    /// Puts the last SVID and a key into the volume.
    func write(_ comment: String, isKeyFirst: Bool, keyOf name: String) throws {
        version += 1
        let data = "volume/..\(version)"
        try #require(unsafe mkdir(folder.file(data), 0o700) == 0)
        let (key, chain) = (try text("\(name).key"), try text("svid.pem"))
        try folder.write(
            isKeyFirst ? key + comment + chain : chain + comment + key, to: "\(data)/credential-bundle.pem")
        try folder.write(text("root.pem"), to: "\(data)/trust-bundle.pem")
        try #require(unsafe symlink("..\(version)", "\(path)/..data_tmp") == 0)
        try #require(unsafe rename("\(path)/..data_tmp", "\(path)/..data") == 0)
    }

    private func issue(_ name: String, _ commonName: String, signed: Bool = true) throws {
        var words = [
            "openssl", "req", "-x509", "-config", folder.file("openssl.cnf"), "-extensions", name, "-subj",
            "/CN=\(commonName)", "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", folder.file("\(name).key"), "-out", folder.file("\(name).pem"),
        ]
        if signed { words += ["-CA", folder.file("root.pem"), "-CAkey", folder.file("root.key")] }
        let process = try ChildProcess(words)
        try #require(process.awaitExit() == .code(0), "\(process.standardError.text)")
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: folder.file(name), encoding: .utf8)
    }

    private static let names = ["credential-bundle.pem", "trust-bundle.pem"]

    private static let extensions = """
        [req]
        distinguished_name = name
        [name]
        [root]
        basicConstraints = critical, CA:TRUE
        keyUsage = critical, keyCertSign, cRLSign
        subjectKeyIdentifier = hash
        subjectAltName = URI:spiffe://example.org
        [svid]
        basicConstraints = critical, CA:FALSE
        keyUsage = critical, digitalSignature
        extendedKeyUsage = serverAuth, clientAuth
        subjectAltName = URI:spiffe://example.org/ns/default/sa/server
        [client]
        basicConstraints = critical, CA:FALSE
        keyUsage = critical, digitalSignature
        extendedKeyUsage = serverAuth, clientAuth
        subjectAltName = URI:spiffe://example.org/ns/default/sa/client

        """
}
