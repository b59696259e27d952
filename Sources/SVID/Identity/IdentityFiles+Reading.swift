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
        readSVID(files)
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

    /// Reads the SVID and its key. A file that has both is read once: the two belong together whenever it is replaced.
    private mutating func readSVID(_ files: IdentityFiles) {
        guard files.certificate == files.privateKey else {
            chain = certificates(of: files.certificate, .svid)
            if var blocks = blocks(of: files.privateKey, .privateKey) { key = takeKey(&blocks, files) }
            return
        }
        guard var blocks = blocks(of: files.certificate, .svid, hasKey: true) else { return }
        chain = blocks.filter { $0.label == "CERTIFICATE" }.map(\.bytes)
        key = takeKey(&blocks, files)
    }

    /// The one private key among the blocks, all of which are overwritten; nil after noting why there is none.
    private mutating func takeKey(_ blocks: inout [PEMBlock], _ files: IdentityFiles) -> PrivateKeyBytes? {
        defer { for index in blocks.indices { FileContents.overwrite(&blocks[index].bytes) } }
        func flaw(_ message: String) -> IdentityFlaw { IdentityFlaw(.privateKey, message, path: files.privateKey) }
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
            let remedy = files.certificate == files.privateKey ? "; if it is in another file, name that one" : ""
            flaws.append(flaw("has no private key in it\(remedy)"))
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

    private mutating func blocks(
        of path: String, _ part: IdentityFlaw.Part, hasKey: Bool = false
    ) -> [PEMBlock]? {
        do throws(IdentityFlaw) {
            return try IdentityFiles.blocks(of: path, part, hasKey: hasKey) { flaws.append($0) }
        } catch {
            flaws.append(error)
            return nil
        }
    }
}

extension IdentityFiles {
    /// The PEM blocks of a file.
    ///
    /// - Parameters:
    ///   - part: what the file is named for.
    ///   - hasKey: whether the private key is in it beside that.
    ///   - warn: receives flaws that should be fixed but prevent nothing.
    static func blocks(
        of path: String, _ part: IdentityFlaw.Part, hasKey: Bool = false, warn: (IdentityFlaw) -> Void = { _ in }
    ) throws(IdentityFlaw) -> [PEMBlock] {
        let hasKey = hasKey || part == .privateKey
        var file: FileContents
        do throws(FileFlaw) {
            file = try FileContents.read(path: path)
        } catch {
            throw IdentityFlaw(part, "\(error)", path: path)
        }
        defer { if hasKey { FileContents.overwrite(&file.bytes) } }
        if hasKey, file.readableByOthers {
            let message = "the key can be read by other users; \"chmod 600\" it"
            warn(IdentityFlaw(.privateKey, message, .warning, path: path))
        }
        do throws(PEMFlaw) {
            return try PEMBlock.parse(file.bytes)
        } catch {
            throw IdentityFlaw(part, "is not PEM: \(error)", path: path)
        }
    }
}
