import Policy
import PosternTesting
import Resolution
import Settings
import Testing

@testable import DataPlane

@Suite("Destinations by name")
struct DestinationTests {
    private static let text = """
        identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {a.test: b.pem}}}
        listeners:
          - name: out
            mode: outbound
            bind: 127.0.0.1:15001
            transparent: redirect
            unmatched: passthrough
            routes:
              - name: orders
                match: {destinations: [orders.test, 10.96.0.0/16]}
                upstream: {original: true, identities: ["spiffe://a.test/**"]}
        """

    @Test("match what the name stands for now; without an address nothing may pass in plaintext")
    func matching() throws {
        let outcome = Settings.parse(text: Array(Self.text.utf8), file: "a.yaml")
        let listener = try #require(outcome.settings, "\(outcome.flaws)").listeners[0]
        let question = try #require(listener.routes[0].match.questions.first)
        let address = try #require(IPAddress(parsing: "192.0.2.7"))
        let sixth = try #require(IPAddress(parsing: "2001:db8::7"))
        func plan(_ answer: [IPAddress]?) -> ListenerPlan {
            ListenerPlan(
                listener, [], names: ResolvedNames(answer.map { [question: $0.map { ResolvedAddress($0) }] } ?? [:]))
        }
        func matches(_ plan: ListenerPlan, _ address: IPAddress) -> Bool {
            plan.route(serverName: nil, applicationProtocol: nil, destinationPort: 80, destination: address) == 0
        }
        for answer in [nil, []] as [[IPAddress]?] {
            let unknown = plan(answer)
            #expect(unknown.hasUnknownDestination && !matches(unknown, address))
            #expect(matches(unknown, .v4(0x0A60_0001)), "a block needs no answer")
        }
        let known = plan([address, sixth])
        #expect(!known.hasUnknownDestination && matches(known, address) && matches(known, sixth))
        #expect(!matches(known, .v4(0xC000_0208)))
        #expect(!known.routes[0].matches(destination: nil))
    }
}
