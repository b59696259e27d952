public import ArgumentParser
import Glibc
import Identity
public import Authority
import Commands

struct CACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca",
        abstract: "A development certificate authority on disk. Not for production: its key is a plain file.",
        subcommands: [Init.self, Issue.self])

    struct Init: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a root certificate and its key: DIR/ca.pem and DIR/ca.key.")

        @Option(help: ArgumentHelp("The trust domain, such as example.org.", valueName: "name"))
        var trustDomain: String

        @Option(help: ArgumentHelp("The folder to write to; created if missing.", valueName: "dir"))
        var out: String

        @Option(help: ArgumentHelp("Its period of validity.", valueName: "days"))
        var days = 365

        @Option(help: "The kind of key: p256, p384, rsa2048 or ed25519.")
        var key = KeyKind.p256

        @Flag(help: "Replace existing files.")
        var force = false

        func validate() throws {
            guard (1...36_500).contains(days) else { throw ValidationError("--days must be 1 to 36500") }
        }

        func run() throws {
            let domain: TrustDomain
            do throws(SPIFFEIDFlaw) {
                domain = try TrustDomain(parsing: trustDomain)
            } catch {
                throw BadInput("--trust-domain \(trustDomain): \(error)")
            }
            let folder = try OutputFolder(out, files: ["ca.pem", "ca.key"], force: force)
            let authority = try CertificateAuthority(
                trustDomain: domain.name, keyKind: key, validity: .days(Int64(days)))
            try writeFile(authority.key.privateKeyPEM, path: folder.path("ca.key"), mode: 0o600)
            try writeFile(authority.certificatePEM, path: folder.path("ca.pem"), mode: 0o644)
            Console.write(folder.path("ca.pem"))
            Console.write(folder.path("ca.key"))
        }
    }

    struct Issue: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue an X.509-SVID: DIR/svid.pem, DIR/svid.key, and the trust bundle DIR/bundle.pem.")

        @Option(help: ArgumentHelp("The folder that `ca init` wrote.", valueName: "dir"))
        var ca: String

        @Option(help: ArgumentHelp("The SPIFFE ID, in the authority's trust domain.", valueName: "id"))
        var id: String

        @Option(help: ArgumentHelp("The folder to write to; created if missing.", valueName: "dir"))
        var out: String

        @Option(help: ArgumentHelp("The files' name: NAME.pem and NAME.key.", valueName: "name"))
        var name = "svid"

        @Option(help: ArgumentHelp("Its period of validity.", valueName: "hours"))
        var hours = 24

        @Option(help: "The kind of key: p256, p384, rsa2048 or ed25519.")
        var key = KeyKind.p256

        @Flag(help: "Replace existing files.")
        var force = false

        func validate() throws {
            guard (1...876_000).contains(hours) else { throw ValidationError("--hours must be 1 to 876000") }
            guard !name.isEmpty, !name.contains("/"), name != "ca", name != "bundle" else {
                throw ValidationError("--name \(name): not a valid file name")
            }
        }

        func run() throws {
            let id = try svid()
            let authority = try CertificateAuthority(
                certificatePEM: readFile(ca + "/ca.pem"), privateKeyPEM: readFile(ca + "/ca.key"))
            guard authority.trustDomain == id.trustDomain.name else {
                throw BadInput("--id \(id): the authority's trust domain is \(authority.trustDomain)")
            }
            let folder = try OutputFolder(out, files: ["\(name).pem", "\(name).key"], force: force)
            let bundle = folder.path("bundle.pem")
            if !force, let old = try? readFile(bundle), old != authority.bundlePEM {
                throw BadInput("\(bundle) belongs to another authority; --force replaces it")
            }
            let leaf = try authority.issue(
                LeafRequest(path: id.path, validity: .hours(Int64(hours)), keyKind: key))
            try leaf.write(certificate: folder.path("\(name).pem"), privateKey: folder.path("\(name).key"))
            try writeFile(authority.bundlePEM, path: bundle, mode: 0o644)
            for file in ["\(name).pem", "\(name).key"] { Console.write(folder.path(file)) }
            Console.write(bundle)
        }

        private func svid() throws -> SPIFFEID {
            let parsed: SPIFFEID
            do throws(SPIFFEIDFlaw) {
                parsed = try SPIFFEID(parsing: id)
            } catch {
                throw BadInput("--id \(id): \(error)")
            }
            guard !parsed.path.isEmpty else { throw BadInput("--id \(id): a workload's ID must have a path") }
            return parsed
        }
    }
}

extension KeyKind: ExpressibleByArgument {
    /// All kinds but the weak one, which is for tests.
    public static var allValueStrings: [String] {
        allCases.filter { $0 != .rsa1024 }.map(\.rawValue)
    }

    public init?(argument: String) {
        guard let kind = KeyKind(rawValue: argument), kind != .rsa1024 else { return nil }
        self = kind
    }
}

/// An output folder; created with access for its owner only if missing.
private struct OutputFolder {
    private let folder: String

    init(_ folder: String, files: [String], force: Bool) throws {
        self.folder = folder
        // C strings are valid for each call.
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw PKIFault.file(path: folder, operation: "create the folder", errno: errno)
        }
        for file in files where !force {
            guard unsafe access("\(folder)/\(file)", F_OK) != 0 else {
                throw BadInput("\(folder)/\(file) exists; --force replaces it")
            }
        }
    }

    func path(_ file: String) -> String { "\(folder)/\(file)" }
}
