import Crypto
import System
import Identity

extension IdentityMaterial {
    /// Loads and checks `files` as of `now` (Unix seconds), and reports all flaws at once.
    public static func load(
        _ files: IdentityFiles, _ flawedDomains: FlawedDomains = .refuseAll, now: Int64
    ) -> AssembledIdentity {
        IdentityAssembly.assemble(IdentityParts(reading: files), flawedDomains, now: now)
    }
}

extension IdentityParts {
    /// Reads and decodes the files.
    init(reading files: IdentityFiles) {
        self.init(revocation: files.revocation, chainPath: files.certificate, keyPath: files.privateKey)
        chain = certificates(of: files.certificate, .svid)
        key = readKey(files.privateKey)
        for file in files.trustBundles {
            let part = IdentityFlaw.Part.trustBundle(file.trustDomain)
            bundles.append(
                Bundle(
                    trustDomain: file.trustDomain, authorities: certificates(of: file.path, part), path: file.path))
        }
        guard files.revocation != .off else { return }
        for file in files.revocationLists {
            let lists = readRevocationLists(file)
            revocationLists.append(RevocationLists(trustDomain: file.trustDomain, lists: lists, path: file.path))
        }
    }

    private mutating func certificates(of path: String, _ part: IdentityFlaw.Part) -> [[UInt8]]? {
        blocks(of: path, part)?.filter { $0.label == "CERTIFICATE" }.map(\.bytes)
    }

    private mutating func readKey(_ path: String) -> PrivateKeyBytes? {
        guard var blocks = blocks(of: path, .privateKey) else { return nil }
        defer { for index in blocks.indices { FileContents.overwrite(&blocks[index].bytes) } }
        func flaw(_ message: String) -> IdentityFlaw { IdentityFlaw(.privateKey, message, path: path) }
        if blocks.contains(where: { $0.hasEncryptionHeader || $0.label == "ENCRYPTED PRIVATE KEY" }) {
            let remedy = "decrypt it with \"openssl pkey -in FILE -out FILE\" and protect it with file permissions"
            flaws.append(flaw("the key is encrypted; \(remedy)"))
            return nil
        }
        let keys = blocks.indices.filter { blocks[$0].label.hasSuffix("PRIVATE KEY") }
        guard keys.count <= 1 else {
            flaws.append(flaw("has \(keys.count) private keys in it; which one is meant?"))
            return nil
        }
        guard let index = keys.first else {
            flaws.append(flaw("has no private key in it"))
            return nil
        }
        return PrivateKeyBytes(consuming: &blocks[index].bytes)
    }

    /// PEM, or one CRL in DER; nil after noting why there is none.
    private mutating func readRevocationLists(_ file: IdentityFiles.DomainFile) -> [[UInt8]]? {
        let part = IdentityFlaw.Part.revocationLists(file.trustDomain)
        do throws(FileFlaw) {
            let bytes = try FileContents.read(path: file.path, limitBytes: RevocationList.maximumBytes).bytes
            // A CRL in DER begins with a SEQUENCE, whose tag is no letter and no dash.
            guard bytes.first != 0x30 else { return [bytes] }
            do throws(PEMFlaw) {
                let lists = try PEMBlock.parse(bytes).filter { $0.label == "X509 CRL" }.map(\.bytes)
                if !lists.isEmpty { return lists }
                flaws.append(IdentityFlaw(part, "has no CRL in it", path: file.path))
            } catch {
                flaws.append(IdentityFlaw(part, "is not PEM: \(error)", path: file.path))
            }
        } catch {
            flaws.append(IdentityFlaw(part, "\(error)", path: file.path))
        }
        return nil
    }

    private mutating func blocks(of path: String, _ part: IdentityFlaw.Part) -> [PEMBlock]? {
        do throws(IdentityFlaw) {
            return try IdentityFiles.blocks(of: path, part) { flaws.append($0) }
        } catch {
            flaws.append(error)
            return nil
        }
    }
}

extension IdentityFiles {
    /// The PEM blocks of a file.
    ///
    /// - Parameter warn: receives flaws that should be fixed but prevent nothing.
    static func blocks(
        of path: String, _ part: IdentityFlaw.Part, warn: (IdentityFlaw) -> Void = { _ in }
    ) throws(IdentityFlaw) -> [PEMBlock] {
        var file: FileContents
        do throws(FileFlaw) {
            file = try FileContents.read(path: path)
        } catch {
            throw IdentityFlaw(part, "\(error)", path: path)
        }
        defer { if part == .privateKey { FileContents.overwrite(&file.bytes) } }
        if part == .privateKey, file.readableByOthers {
            warn(IdentityFlaw(part, "the key can be read by other users; \"chmod 600\" it", .warning, path: path))
        }
        do throws(PEMFlaw) {
            return try PEMBlock.parse(file.bytes)
        } catch {
            throw IdentityFlaw(part, "is not PEM: \(error)", path: path)
        }
    }
}
