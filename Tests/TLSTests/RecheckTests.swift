import Authority
import Identity
import Testing

@testable import Crypto
@testable import SVID

/// The recheck of a connection's peer after a change: would a new handshake accept it?
@Suite("A peer that was accepted before")
struct RecheckTests {
    /// Authorities of one trust domain that could all vouch for the same leaf.
    private struct Authorities {
        let root: CertificateAuthority
        let other: CertificateAuthority
        let intermediate: CertificateAuthority
        /// Besides the leaf's own path: the root's key and name, signed by the other root.
        let crossSigned: [UInt8]
        /// Certificates that a bundle may hold, by name.
        let anchors: [(name: String, der: [UInt8])]

        init() throws {
            let root = try CertificateAuthority(trustDomain: "example.org")
            self.root = root
            other = try CertificateAuthority(
                trustDomain: "example.org", request: AuthorityRequest(commonName: "other root"))
            intermediate = try root.intermediate()
            crossSigned = try other.intermediate(
                AuthorityRequest(commonName: "example.org root", key: root.key)
            ).certificateDER
            func again(_ change: (inout AuthorityRequest) -> Void) throws -> [UInt8] {
                var request = AuthorityRequest(key: root.key)
                change(&request)
                return try CertificateAuthority(trustDomain: "example.org", request: request).certificateDER
            }
            anchors = try [
                ("the root", root.certificateDER),
                ("the root made anew with its key", again { _ in }),
                ("the root with no room for an intermediate", again { $0.basicConstraints?.pathLength = 0 }),
                (
                    "the root with names that exclude the leaf",
                    again { $0.nameConstraints = NameConstraints(excludedURIHosts: ["example.org"]) }
                ),
                ("the root as one that may not sign", again { $0.keyUsage = .digitalSignature }),
                ("the other root", other.certificateDER), ("the intermediate", intermediate.certificateDER),
            ]
        }

        /// The chains that peers present, leaf first.
        func chains() throws -> [[[UInt8]]] {
            let direct = try root.issue(path: "/a").chainDER
            let below = try intermediate.issue(path: "/b").chainDER
            return [direct, below, direct + [crossSigned], below + [crossSigned], below + [root.certificateDER]]
        }
    }

    @Test("is judged as in a new handshake, whatever bundle it is rechecked against")
    func agreement() throws {
        let authorities = try Authorities()
        let domain = try TrustDomain(parsing: "example.org")
        // Every bundle of one anchor, and every one of two.
        var bundles: [(names: String, verifier: SVIDVerifier)] = []
        for (index, one) in authorities.anchors.enumerated() {
            for other in authorities.anchors[index...] {
                let anchors = one.name == other.name ? [one.der] : [one.der, other.der]
                let bundle = TrustBundle(trustDomain: domain, certificates: anchors)
                bundles.append(("\(one.name), \(other.name)", try SVIDVerifier(bundles: [bundle], clock: now)))
            }
        }
        var compared = 0
        var refused: Set<SVIDRefusal> = []
        for chain in try authorities.chains() {
            let presented = try CertificateStack(parsing: chain)
            for before in bundles {
                guard let peer = try? before.verifier.verify(presented[0], presented: presented) else { continue }
                for after in bundles {
                    let fresh = outcome { () throws(SVIDRefusal) in
                        _ = try after.verifier.verify(presented[0], presented: presented)
                    }
                    let again = outcome { () throws(SVIDRefusal) in _ = try after.verifier.recheck(peer) }
                    // A path that is good already is not given up for another one that OpenSSL would try first.
                    if after.verifier.anchors[domain]?.hold(peer.issuers) == true {
                        #expect(again == nil, "accepted by \(before.names), then asked under \(after.names)")
                    } else {
                        #expect(fresh == again, "accepted by \(before.names), then asked under \(after.names)")
                    }
                    compared += 1
                    if let again { refused.insert(again) }
                }
            }
        }
        #expect(compared > 500)
        #expect(refused.contains(.unknownAuthority) && refused.count >= 4, "\(refused)")
    }

    @Test("has its path built anew once for all peers of its signer, and not at all where its anchor is still there")
    func builtOnce() throws {
        let world = try World()
        let anew = try CertificateAuthority(
            trustDomain: "example.org", request: AuthorityRequest(key: world.authority.key))
        let before = try SVIDVerifier(bundles: [world.bundle], clock: now)
        let after = try SVIDVerifier(
            bundles: [TrustBundle(trustDomain: world.domain, certificates: [anew.certificateDER])], clock: now)
        var built: [Bool] = []
        for path in ["/a", "/b", "/c"] {
            let chain = try CertificateStack(parsing: world.authority.issue(path: path).chainDER)
            let peer = try before.verify(chain[0], presented: chain)
            #expect(try !before.recheck(peer).builtPath)
            built.append(try after.recheck(peer).builtPath)
        }
        #expect(built == [true, false, false])
    }

    @Test("is refused where its trust domain has no bundle any more, or the CRL of its signer names it")
    func removedAndRevoked() throws {
        let world = try World()
        let leaf = try world.authority.issue(LeafRequest(path: "/a").with { $0.serialNumber = [7] })
        let chain = try CertificateStack(parsing: leaf.chainDER)
        let peer = try SVIDVerifier(bundles: [world.bundle], clock: now).verify(chain[0], presented: chain)
        let other = try SVIDVerifier(bundles: [World("other.test").bundle], clock: now)
        #expect(throws: SVIDRefusal.unknownTrustDomain) { try other.recheck(peer) }
        let pem = try world.authority.revocationListPEM(of: [[7]])
        let list = try RevocationList(parsing: #require(PEMBlock.parse(Array(pem.utf8)).first).bytes)
        let revoking = try SVIDVerifier(
            bundles: [world.bundle], revocation: Revocation(.ifPresent, [world.domain: [list]]), clock: now)
        #expect(throws: SVIDRefusal.revoked) { try revoking.recheck(peer) }
    }

    @Test("is not refused for an expired certificate: the connection's own deadline covers that")
    func expired() throws {
        let world = try World()
        let leaf = try world.authority.issue(LeafRequest(path: "/a", validity: .seconds(600)))
        let chain = try CertificateStack(parsing: leaf.chainDER)
        let peer = try SVIDVerifier(bundles: [world.bundle], clock: now).verify(chain[0], presented: chain)
        let anew = try CertificateAuthority(
            trustDomain: "example.org", request: AuthorityRequest(key: world.authority.key))
        let bundle = TrustBundle(trustDomain: world.domain, certificates: [anew.certificateDER])
        let later = now() + 700
        let verifier = try SVIDVerifier(bundles: [bundle], clock: { later })
        #expect(try verifier.recheck(peer).notAfter == peer.notAfter)
        #expect(throws: SVIDRefusal.expired) { try verifier.verify(chain[0], presented: chain) }
    }

    private func outcome(_ body: () throws(SVIDRefusal) -> Void) -> SVIDRefusal? {
        do throws(SVIDRefusal) {
            try body()
            return nil
        } catch {
            return error
        }
    }
}
