import Identity
import Authority
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
