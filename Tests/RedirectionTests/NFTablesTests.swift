import Policy
import Redirection
import Testing

@Suite("Rules for nft")
struct NFTablesTests {
    @Test("replace the table of an earlier call, and name a family only where the other has another port")
    func redirect() throws {
        var plan = try RedirectionPlanTests.plan(RedirectionPlanTests.text(), user: 1000)
        plan.skippedOutboundBlocks = [try CIDR(parsing: "10.9.0.0/16"), try CIDR(parsing: "10.8.0.0/16")]
        plan.v6.outboundPort = 15_002
        #expect(
            NFTables.rules(plan) == """
                table inet postern
                delete table inet postern
                table inet postern {
                    chain inbound {
                        type nat hook prerouting priority -110; policy accept;
                        meta nfproto ipv4 tcp dport 15000 return
                        meta l4proto tcp redirect to :15006
                    }
                    chain outbound {
                        type nat hook output priority -110; policy accept;
                        meta mark 1337 oifname "lo" meta nfproto ipv4 tcp dport 15000 return
                        meta mark 1337 oifname "lo" ip daddr != 127.0.0.0/8 meta l4proto tcp redirect to :15006
                        meta mark 1337 oifname "lo" ip6 daddr != ::1/128 meta l4proto tcp redirect to :15006
                        meta mark 1337 return
                        meta skuid 1000 oifname "lo" meta nfproto ipv4 tcp dport 15000 return
                        meta skuid 1000 oifname "lo" ip daddr != 127.0.0.0/8 meta l4proto tcp redirect to :15006
                        meta skuid 1000 oifname "lo" ip6 daddr != ::1/128 meta l4proto tcp redirect to :15006
                        meta skuid 1000 return
                        ip daddr 127.0.0.0/8 return
                        ip6 daddr ::1/128 return
                        ip daddr { 10.9.0.0/16, 10.8.0.0/16 } return
                        meta nfproto ipv4 meta l4proto tcp redirect to :15001
                        meta nfproto ipv6 meta l4proto tcp redirect to :15002
                    }
                }

                """)
    }

    @Test("leave a family alone that has no listener")
    func oneFamily() throws {
        let plan = try RedirectionPlanTests.plan(RedirectionPlanTests.text(mode: "tproxy", v6: false), families: [.v4])
        let rules = NFTables.rules(plan)
        #expect(!rules.contains("tproxy ip6") && rules.contains("meta nfproto ipv4 meta mark set 1"))
    }
}
