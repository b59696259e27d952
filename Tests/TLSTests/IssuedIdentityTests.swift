import Identity
import Authority
import Testing

@testable import TLS

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
        #expect(assembled.material.trustBundles.map(\.trustDomain) == [world.domain])
        #expect(assembled.passedOver.count == 1)
        let text = assembled.passedOver.first?.description ?? ""
        #expect(text.contains("\"partner.test\"") && text.contains("is not trusted"), "\(text)")
    }

    @Test("leaves another trust domain the last bundle that was good", arguments: [[UInt8](), [0x30], [0x30, 0x00]])
    func keepsLastGood(garbage: [UInt8]) throws {
        let before = try assemble(partnerBundle: partner.authority.rootDER)
        #expect(before.passedOver.isEmpty)
        let after = try assemble(partnerBundle: garbage, lastGood: before.material)
        #expect(after.material.trustBundles.contains { $0.certificates == [partner.authority.rootDER] })
        #expect(after.passedOver.map { $0.description.contains("keeps its last good one") } == [true])
    }

    @Test("is taken although a CRL is malformed, and the CRLs of before stay in force")
    func malformedCRL() throws {
        let assembled = try assemble(partnerBundle: partner.authority.rootDER, lists: [[0x30, 0x00]])
        #expect(assembled.passedOver.map { $0.description.hasPrefix("a CRL ") } == [true])
        #expect(assembled.material.trustBundles.count == 2)
    }

    @Test("is refused where its own trust domain's bundle is flawed")
    func flawedOwn() throws {
        #expect(throws: IssuedIdentityFlaw.self) {
            try assemble(ownBundle: [0x30, 0x00], partnerBundle: partner.authority.rootDER)
        }
        #expect(throws: IssuedIdentityFlaw.self) {
            try assemble(ownBundle: partner.authority.rootDER, partnerBundle: partner.authority.rootDER)
        }
    }

    @Test("is refused where peers would refuse its chain for its length")
    func longChain() throws {
        #expect(throws: IssuedIdentityFlaw.self) {
            try assemble(partnerBundle: partner.authority.rootDER, copiesOfRoot: 7)
        }
        _ = try assemble(partnerBundle: partner.authority.rootDER, copiesOfRoot: 6)
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
        return try IdentityMaterial.assemble(issued, generation: 2, now: now(), lastGood: lastGood)
    }
}
