import Redirection
import Testing

@Suite("The connections that show whether rules are in force")
struct ValidationLegTests {
    @Test("each family and each exemption has its own")
    func all() throws {
        let plan = try RedirectionPlanTests.plan(RedirectionPlanTests.text(), user: 1000)
        let legs = plan.legs
        #expect(legs.count == 10)
        let exempt: [RedirectionPlan.Exemption] = [.mark(1337), .user(1000)]
        #expect(plan.exemptions == exempt)
        for family in IPFamily.allCases {
            let own = legs.filter { $0.family == family }
            #expect(own.count == 5)
            #expect(own.first == ValidationLeg(family: family, caller: .program, way: .outbound(port: 15001)))
            #expect(own.filter { $0.way == .past }.map(\.caller) == exempt.map { .proxy($0) })
            #expect(own.filter { $0.way == .inbound(port: 15006) }.map(\.caller) == exempt.map { .proxy($0) })
        }
    }

    @Test("a family without listeners has none")
    func oneFamily() throws {
        let text = RedirectionPlanTests.text(v6: false)
        let plan = try RedirectionPlanTests.plan(text, families: [.v4])
        #expect(plan.legs.allSatisfy { $0.family == .v4 } && plan.legs.count == 3)
    }
}
