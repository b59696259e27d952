import Identity
import Authority
import Crypto
import Testing

@testable import TLS
@testable import SVID

@Suite("An identity that is handed out at run time")
struct IssuedIdentityTests {
    private let world: World
    private let partner: World

    init() throws {
        world = try World()
        partner = try World("partner.test")
    }

    @Test("is taken although another trust domain's bundle is flawed: that domain is not trusted, and it is said")
    func flawedPartner() throws {
        let assembled = try assemble(partnerBundle: partner.authority.issue(path: "/no-authority").leafDER)
        #expect(assembled.material?.trustBundles.map(\.trustDomain) == [world.domain])
        #expect(assembled.flaws.count == 1)
        let text = assembled.flaws.first?.description ?? ""
        #expect(text.contains("\"partner.test\"") && text.contains("is not trusted"), "\(text)")
    }

    @Test("leaves another trust domain the last bundle that was good", arguments: [[UInt8](), [0x30], [0x30, 0x00]])
    func keepsLastGood(garbage: [UInt8]) throws {
        let before = try assemble(partnerBundle: partner.authority.rootDER)
        #expect(before.flaws.isEmpty)
        let after = try assemble(partnerBundle: garbage, lastGood: before.material)
        #expect(after.material?.trustBundles.contains { $0.certificates == [partner.authority.rootDER] } == true)
        #expect(after.flaws.map { $0.description.contains("keeps its last good one") } == [true])
    }

    @Test("is taken although a CRL is malformed, and the CRLs of before stay in force")
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

    @Test("upholds the CRLs of the last sound state, and does not pile up those that came since")
    func upheldLists() throws {
        func list(of serial: UInt8) throws -> [UInt8] {
            let pem = try world.authority.revocationListPEM(of: [[serial]])
            return try #require(PEMBlock.parse(Array(pem.utf8)).first).bytes
        }
        let first = try list(of: 1)
        var material = try assemble(partnerBundle: partner.authority.rootDER, lists: [first]).material
        for serial in 2..<8 as Range<UInt8> {
            let next = try list(of: serial)
            material =
                try assemble(
                    partnerBundle: partner.authority.rootDER, lists: [next, [0x30, 0x00]], lastGood: material
                ).material
            #expect(material?.revocation.candidates(world.domain).map(\.der) == [next, first])
        }
        // Those that say of nobody whose they are may be anybody's, even of a domain that has its bundle from
        // elsewhere.
        let elsewhere = try TrustDomain(parsing: "elsewhere.test")
        #expect(material?.revocation.candidates(elsewhere).count == 2)
        material = try assemble(partnerBundle: partner.authority.rootDER, lists: [first], lastGood: material).material
        #expect(material?.revocation.candidates(world.domain).map(\.der) == [first])
    }

    @Test("is refused where its own trust domain's bundle is flawed")
    func flawedOwn() throws {
        for own in [[0x30, 0x00], partner.authority.rootDER] {
            let before = try assemble(partnerBundle: partner.authority.rootDER).material
            let assembled = try assemble(
                ownBundle: own, partnerBundle: partner.authority.rootDER, lastGood: before)
            #expect(assembled.material == nil)
            #expect(assembled.flaws.map(\.part) == [.trustBundle(world.domain)])
        }
    }

    @Test("is refused where peers would refuse its chain for its length")
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
