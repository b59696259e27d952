import Identity
import Authority
import Crypto
import Testing

@testable import TLS
@testable import SVID

@Suite("An identity that is issued at run time")
struct IssuedIdentityTests {
    private let world: World
    private let partner: World

    init() throws {
        world = try World()
        partner = try World("partner.test")
    }

    @Test("is adopted although another trust domain's bundle is flawed: that domain is not trusted, which is reported")
    func flawedPartner() throws {
        let assembled = try assemble(partnerBundle: partner.authority.issue(path: "/no-authority").leafDER)
        #expect(assembled.material?.trustBundles.map(\.trustDomain) == [world.domain])
        #expect(assembled.flaws.count == 1)
        let text = assembled.flaws.first?.description ?? ""
        #expect(text.contains("\"partner.test\"") && text.contains("is not trusted"), "\(text)")
    }

    @Test("leaves another trust domain its last good bundle", arguments: [[UInt8](), [0x30], [0x30, 0x00]])
    func keepsLastGood(garbage: [UInt8]) throws {
        let before = try assemble(partnerBundle: partner.authority.rootDER)
        #expect(before.flaws.isEmpty)
        let after = try assemble(partnerBundle: garbage, lastGood: before.material)
        #expect(after.material?.trustBundles.contains { $0.certificates == [partner.authority.rootDER] } == true)
        #expect(after.flaws.map { $0.description.contains("keeps its last good bundle") } == [true])
    }

    @Test("is adopted although a CRL is malformed, and the previous CRLs stay in force")
    func malformedCRL() throws {
        let assembled = try assemble(partnerBundle: partner.authority.rootDER, lists: [[0x30, 0x00]])
        #expect(assembled.flaws.map { $0.description.hasPrefix("the CRLs: a CRL ") } == [true])
        #expect(assembled.material?.trustBundles.count == 2)
    }

    @Test("keeps the CRLs of its own domain, whatever another domain's authority is called")
    func namesake() throws {
        let signer = try world.authority.intermediate(AuthorityRequest(commonName: "the same name"))
        let namesake = try CertificateAuthority(
            trustDomain: "partner.test", request: AuthorityRequest(commonName: "the same name"))
        let pem = try signer.revocationListPEM(of: [[7]])
        let list = try #require(PEMBlock.parse(Array(pem.utf8)).first).bytes
        let assembled = try assemble(partnerBundle: namesake.rootDER, lists: [list])
        #expect(assembled.flaws == [])
        #expect(assembled.material?.revocation.candidates(world.domain).map(\.der) == [list])
    }

    @Test("upholds all CRLs that were in force while one is malformed, within bounds")
    func upheldLists() throws {
        func list(of serial: UInt8) throws -> [UInt8] {
            let pem = try world.authority.revocationListPEM(of: [[serial]])
            return try #require(PEMBlock.parse(Array(pem.utf8)).first).bytes
        }
        func revokes(_ material: IdentityMaterial?, _ serial: UInt8, _ domain: TrustDomain) throws -> Bool {
            let number = try #require(SerialNumber([serial]))
            return material?.revocation.candidates(domain).contains { $0.contains(number) } ?? false
        }
        let malformed: [UInt8] = [0x30, 0x00]
        var material = try assemble(partnerBundle: partner.authority.rootDER, lists: [list(of: 1)]).material
        for lists in [[try list(of: 2), malformed], [malformed], [malformed]] {
            material = try assemble(partnerBundle: partner.authority.rootDER, lists: lists, lastGood: material).material
            #expect(try revokes(material, 1, world.domain) && revokes(material, 2, world.domain))
        }
        // Those that say of nobody whose they are may be anybody's, even of a domain that has its bundle from
        // elsewhere.
        #expect(try revokes(material, 2, TrustDomain(parsing: "elsewhere.test")))
        for serial in 3..<60 as Range<UInt8> {
            material = try assemble(
                partnerBundle: partner.authority.rootDER, lists: [list(of: serial), malformed], lastGood: material
            ).material
            #expect(try revokes(material, serial, world.domain))
        }
        #expect(try #require(material).revocation.candidates(world.domain).count < 12)
        material = try assemble(
            partnerBundle: partner.authority.rootDER, lists: [list(of: 1)], lastGood: material
        ).material
        #expect(material?.revocation.candidates(world.domain).count == 1)
    }

    @Test("is refused where its own trust domain's bundle is flawed, unless the last good one verifies it")
    func flawedOwn() throws {
        for own in [[0x30, 0x00], partner.authority.rootDER] {
            let before = try assemble(partnerBundle: partner.authority.rootDER).material
            let assembled = try assemble(
                ownBundle: own, partnerBundle: partner.authority.rootDER, lastGood: before)
            #expect(assembled.material?.trustBundles == before?.trustBundles)
            #expect(try assemble(ownBundle: own, partnerBundle: partner.authority.rootDER).material == nil)
            #expect(assembled.flaws.map(\.part) == [.trustBundle(world.domain)])
        }
    }

    @Test("is refused if peers would refuse its chain for its length")
    func longChain() throws {
        let long = try assemble(partnerBundle: partner.authority.rootDER, copiesOfRoot: 7)
        #expect(long.material == nil)
        #expect(long.flaws.map(\.part) == [.svid, .svid])
        #expect(try assemble(partnerBundle: partner.authority.rootDER, copiesOfRoot: 6).material != nil)
    }

    private func assemble(
        ownBundle: [UInt8]? = nil, partnerBundle: [UInt8], lists: [[UInt8]] = [], copiesOfRoot: Int = 0,
        lastGood: IdentityMaterial? = nil
    ) throws -> AssembledIdentity {
        let leaf = try world.authority.issue(path: "/ns/default/sa/server")
        let chain = leaf.chainDER + Array(repeating: world.authority.rootDER, count: copiesOfRoot)
        let issued = IssuedIdentity(
            certificates: Array(chain.joined()), privateKey: leaf.key.pkcs8DER,
            bundles: [world.domain: ownBundle ?? world.authority.rootDER, partner.domain: partnerBundle],
            revocationLists: lists, revocation: .ifPresent)
        return IdentityMaterial.assemble(issued, now: now(), lastGood: lastGood)
    }
}
