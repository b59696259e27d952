import Glibc
import Identity
import PosternTesting
import Testing

@testable import TLS
@testable import Authority
@testable import Crypto
@testable import SVID

/// A folder of identity files that is gone with its owner.
final class IdentityFolder {
    private let folder: TemporaryFolder
    let world: World
    var path: String { folder.path }

    init(_ world: World) throws {
        self.world = world
        folder = try TemporaryFolder("identity")
        try write(world.authority.issue(path: "/server"))
        try write("bundle.pem", world.authority.bundlePEM)
    }

    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
        try writeFile(text, path: "\(path)/\(name)", mode: mode)
        unsafe _ = chmod("\(path)/\(name)", mode)
    }

    func write(_ certificate: IssuedCertificate) throws {
        try write("svid.pem", certificate.chainPEM)
        try write("svid.key", certificate.privateKeyPEM)
    }

    var files: IdentityFiles {
        IdentityFiles(
            certificate: "\(path)/svid.pem", privateKey: "\(path)/svid.key",
            trustBundles: [.init(trustDomain: world.domain, path: "\(path)/bundle.pem")])
    }

    /// With certificate and key in one file.
    func files(both name: String) -> IdentityFiles {
        var files = files
        files.certificate = "\(path)/\(name)"
        files.privateKey = files.certificate
        return files
    }

    func load(now: Int64 = now()) -> AssembledIdentity {
        IdentityMaterial.load(files, now: now)
    }
}

/// One flaw of a folder, the file that is blamed, and its message.
struct FolderFlaw: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let file: String
    let message: String
    let spoil: @Sendable (IdentityFolder) throws -> Void

    init(
        _ flaw: String, _ file: String, _ message: String, _ spoil: @escaping @Sendable (IdentityFolder) throws -> Void
    ) {
        testDescription = flaw
        self.file = file
        self.message = message
        self.spoil = spoil
    }

    private static let encryptedKey = """
        -----BEGIN RSA PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: AES-256-CBC,8A4F1D4E2B3C5D6E7F8091A2B3C4D5E6

        AAAA
        -----END RSA PRIVATE KEY-----
        """

    static let all: [FolderFlaw] = [
        FolderFlaw("a missing certificate", "svid.pem", "no such file") { unsafe _ = unlink("\($0.path)/svid.pem") },
        FolderFlaw("a missing key", "svid.key", "no such file") { unsafe _ = unlink("\($0.path)/svid.key") },
        FolderFlaw("a missing bundle", "bundle.pem", "no such file") { unsafe _ = unlink("\($0.path)/bundle.pem") },
        FolderFlaw("a folder for a certificate", "svid.pem", "is not a regular file") {
            unsafe _ = unlink("\($0.path)/svid.pem")
            unsafe _ = symlink("/tmp", "\($0.path)/svid.pem")
        },
        FolderFlaw("a file that never ends", "bundle.pem", "is not a regular file") {
            unsafe _ = unlink("\($0.path)/bundle.pem")
            unsafe _ = symlink("/dev/zero", "\($0.path)/bundle.pem")
        },
        FolderFlaw("a huge file", "bundle.pem", "is larger than") {
            try $0.write("bundle.pem", String(repeating: "#\n", count: 600_000))
        },
        FolderFlaw("an empty certificate file", "svid.pem", "contains no certificate") {
            try $0.write("svid.pem", "")
        },
        FolderFlaw("text for a certificate", "svid.pem", "contains no certificate") {
            try $0.write("svid.pem", "hello\n")
        },
        FolderFlaw("a key for a certificate", "svid.pem", "contains no certificate") {
            try $0.write("svid.pem", $0.world.authority.key.privateKeyPEM)
        },
        FolderFlaw("a block that is not base64", "svid.pem", "is not PEM: line 2") {
            try $0.write("svid.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n")
        },
        FolderFlaw("a block that does not end", "svid.pem", "is not PEM: line 1") {
            try $0.write("svid.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n")
        },
        FolderFlaw("base64 that is no certificate", "svid.pem", "certificate 1 cannot be parsed") {
            try $0.write("svid.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        },
        FolderFlaw("a certificate for a key", "svid.key", "has no private key in it") {
            try $0.write("svid.key", $0.world.authority.bundlePEM)
        },
        FolderFlaw("two keys", "svid.key", "has 2 private keys in it") {
            let pem = $0.world.authority.key.privateKeyPEM
            try $0.write("svid.key", pem + pem)
        },
        FolderFlaw("base64 that is no key", "svid.key", "cannot be parsed") {
            try $0.write("svid.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        },
        FolderFlaw("an encrypted key", "svid.key", "openssl pkey") {
            try $0.write(
                "svid.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
        },
        FolderFlaw("an encrypted key of the traditional form", "svid.key", "openssl pkey") {
            try $0.write("svid.key", encryptedKey)
        },
        FolderFlaw("another certificate's key", "svid.key", "does not match the certificate") {
            try $0.write("svid.key", KeyPair.generate(.p256).privateKeyPEM)
        },
        FolderFlaw("a weak key", "svid.key", "too weak") {
            try $0.write($0.world.authority.issue(LeafRequest(keyKind: .rsa1024)))
        },
        FolderFlaw("a leaf that is a CA", "svid.pem", "leaf-is-ca") {
            try $0.write(
                $0.world.authority.issue(LeafRequest().with { $0.basicConstraints = BasicConstraints(isCA: true) }))
        },
        FolderFlaw("a leaf without an ID", "svid.pem", "no-uri-san") {
            try $0.write($0.world.authority.issue(LeafRequest().with { $0.subjectAltNames = [] }))
        },
        FolderFlaw("an expired SVID", "svid.pem", "expired at") {
            try $0.write($0.world.authority.issue(LeafRequest(validity: .over)))
        },
        FolderFlaw("an SVID that is not yet valid", "svid.pem", "not valid before") {
            try $0.write($0.world.authority.issue(LeafRequest(validity: .ahead)))
        },
        FolderFlaw("an SVID of another authority", "svid.pem", "does not verify against the bundle") {
            try $0.write(World().authority.issue(path: "/server"))
        },
        FolderFlaw("an SVID of a trust domain without a bundle", "svid.pem", "no trust bundle for") {
            try $0.write(World("other.test").authority.issue(path: "/server"))
        },
        FolderFlaw("an empty bundle", "bundle.pem", "the bundle is empty") { try $0.write("bundle.pem", "") },
        FolderFlaw("a leaf in a bundle", "bundle.pem", "certificate 2 of the bundle cannot sign SVIDs: signer-not-ca") {
            try $0.write("bundle.pem", $0.world.authority.bundlePEM + $0.world.authority.issue().chainPEM)
        },
        FolderFlaw("a bundle of another domain", "bundle.pem", "signer-of-other-domain") {
            try $0.write("bundle.pem", World("other.test").authority.bundlePEM)
        },
    ]
}

/// One flaw of a file that should have certificate and key.
struct BothFlaw: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let part: IdentityFlaw.Part
    let message: String
    var severity = IdentityFlaw.Severity.error
    var mode: mode_t = 0o600
    /// Nil: there is no file.
    let text: @Sendable (IssuedCertificate) throws -> String?

    static let all = [
        BothFlaw(testDescription: "no file", part: .svid, message: "no such file") { _ in nil },
        BothFlaw(testDescription: "no key", part: .privateKey, message: "if it is in another file, name that one") {
            $0.chainPEM
        },
        BothFlaw(testDescription: "no certificate", part: .svid, message: "contains no certificate") {
            $0.privateKeyPEM
        },
        BothFlaw(testDescription: "two keys", part: .privateKey, message: "has 2 private keys in it") {
            $0.privateKeyPEM + $0.chainPEM + $0.privateKeyPEM
        },
        BothFlaw(testDescription: "another key", part: .privateKey, message: "does not match the certificate") {
            try $0.chainPEM + KeyPair.generate(.p256).privateKeyPEM
        },
        BothFlaw(testDescription: "half of it", part: .svid, message: "is not PEM") {
            String(($0.privateKeyPEM + $0.chainPEM).dropLast(40))
        },
        BothFlaw(
            testDescription: "readable by others", part: .privateKey, message: "chmod 600", severity: .warning,
            mode: 0o644
        ) { $0.privateKeyPEM + $0.chainPEM },
    ]
}

@Suite("Loading an identity's files")
struct IdentityLoadTests {
    @Test("succeeds without a warning when all is well", arguments: [KeyKind.p256, .p384, .p521, .rsa2048, .ed25519])
    func good(kind: KeyKind) throws {
        let folder = try IdentityFolder(World())
        try folder.write(folder.world.authority.intermediate().issue(LeafRequest(path: "/server", keyKind: kind)))
        let outcome = folder.load()
        #expect(outcome.flaws == [])
        #expect(outcome.material?.id.description == "spiffe://example.org/server")
        #expect(outcome.material?.chain.count == 2)
        let context = try TLSContext.server(#require(outcome.material))
        #expect(context.applicationProtocols.names.isEmpty)
    }

    @Test(
        "takes the key from the certificate's file, wherever it is in it",
        arguments: [["key", "leaf", "rest"], ["leaf", "key", "rest"], ["leaf", "rest", "key"]])
    func oneFile(order: [String]) throws {
        let folder = try IdentityFolder(World())
        let issued = try folder.world.authority.intermediate().issue(path: "/server")
        let certificates = issued.chainDER.map { PEMBlock.encode("CERTIFICATE", $0) }
        let blocks = ["key": issued.privateKeyPEM, "leaf": certificates[0], "rest": certificates[1]]
        try folder.write("both.pem", order.compactMap { blocks[$0] }.joined(separator: "# a comment\n"))
        let outcome = IdentityMaterial.load(folder.files(both: "both.pem"), now: now())
        #expect(outcome.flaws == [])
        #expect(outcome.material?.chain == issued.chainDER)
    }

    @Test("blames a file that should have certificate and key for what it has not", arguments: BothFlaw.all)
    func flawedFile(flaw: BothFlaw) throws {
        let folder = try IdentityFolder(World())
        let issued = try folder.world.authority.issue(path: "/server")
        if let text = try flaw.text(issued) { try folder.write("both.pem", text, mode: flaw.mode) }
        let outcome = IdentityMaterial.load(folder.files(both: "both.pem"), now: now())
        #expect((outcome.material != nil) == (flaw.severity == .warning))
        #expect(outcome.flaws.map(\.part) == [flaw.part] && outcome.flaws.map(\.severity) == [flaw.severity])
        #expect(outcome.flaws.first?.path == "\(folder.path)/both.pem")
        #expect(outcome.flaws.first?.message.contains(flaw.message) == true, "\(outcome.flaws)")
    }

    @Test("blames the file and says what is wrong with it", arguments: FolderFlaw.all)
    func flawed(flaw: FolderFlaw) throws {
        let folder = try IdentityFolder(World())
        try flaw.spoil(folder)
        let outcome = folder.load()
        #expect(outcome.material == nil)
        let errors = outcome.flaws.filter { $0.severity == .error }
        #expect(errors.contains { $0.path == "\(folder.path)/\(flaw.file)" && $0.message.contains(flaw.message) })
        #expect(errors.count <= 2, "\(errors)")
    }

    @Test("reports all flaws at once")
    func allAtOnce() throws {
        let folder = try IdentityFolder(World())
        unsafe _ = unlink("\(folder.path)/svid.pem")
        try folder.write("svid.key", "nothing")
        try folder.write("bundle.pem", "")
        let outcome = folder.load()
        #expect(outcome.material == nil)
        #expect(Set(outcome.flaws.map(\.part)) == [.svid, .privateKey, .trustBundle(folder.world.domain)])
    }

    @Test("warns of a key that others may read, and goes on", arguments: [0o604, 0o644] as [mode_t])
    func readableKey(mode: mode_t) throws {
        let folder = try IdentityFolder(World())
        _ = unsafe chmod("\(folder.path)/svid.key", mode)
        let outcome = folder.load()
        #expect(outcome.material != nil)
        #expect(outcome.flaws.map(\.severity) == [.warning])
        #expect(outcome.flaws.first?.part == .privateKey)
    }

    @Test("does not warn of a key that a group of ours may read, as with a pod's fsGroup")
    func groupReadableKey() throws {
        let folder = try IdentityFolder(World())
        _ = unsafe chmod("\(folder.path)/svid.key", 0o640)
        #expect(folder.load().flaws.isEmpty)
    }

    @Test("refuses a second bundle for the same trust domain")
    func duplicate() throws {
        let folder = try IdentityFolder(World())
        var files = folder.files
        files.trustBundles.append(files.trustBundles[0])
        let outcome = IdentityMaterial.load(files, now: now())
        #expect(outcome.material == nil)
        #expect(outcome.flaws.map(\.message) == ["the trust domain \"example.org\" has a bundle already"])
    }

    @Test("accepts keys in the traditional form")
    func traditionalKey() throws {
        let folder = try IdentityFolder(World())
        let issued = try folder.world.authority.issue(path: "/server")
        // PKCS#8 of P-256 ends in a SEC1 key without its curve, which on its own must name it (RFC 5915, section 3).
        let inner = issued.key.pkcs8DER.suffix(107)
        let curve: [UInt8] = [0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]
        try folder.write("svid.pem", issued.chainPEM)
        try folder.write(
            "svid.key",
            PEMBlock.encode("EC PARAMETERS", [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])
                + PEMBlock.encode("EC PRIVATE KEY", DER.element(0x30, inner.prefix(37) + curve + inner.suffix(70))))
        #expect(folder.load().flaws == [])
    }

    @Test("never shows the key")
    func keyIsNotPrinted() throws {
        let folder = try IdentityFolder(World())
        let material = try #require(folder.load().material)
        var text = ""
        dump(material.privateKey, to: &text)
        #expect(text.split(separator: "\n").count == 1)
        #expect("\(material.privateKey)" == "(private key)")
    }
}
