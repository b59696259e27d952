import Foundation
import Loopback
import PosternTesting
import Testing

/// Three network namespaces: a host outside, a node, and a pod on it, all with IPv4 and IPv6.
///
/// It takes root. The node forwards, and gives the pod's port 8080 and the outside's 8443 service addresses, as
/// kube-proxy does.
final class Network {
    enum Place: String, CaseIterable {
        case outside, node, pod
    }

    /// The addresses of one family.
    struct Addresses: Sendable, CustomTestStringConvertible {
        let outside: String
        let pod: String
        /// Leads to the pod's port 8080.
        let podService: String
        /// Leads to the outside's port 8443.
        let outsideService: String
        let loopback: String

        var testDescription: String { outside.contains(":") ? "IPv6" : "IPv4" }

        func endpoint(_ host: String, _ port: Int) -> String {
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    static let v4 = Addresses(
        outside: "10.50.1.2", pod: "10.50.2.2", podService: "10.96.0.10", outsideService: "10.96.0.20",
        loopback: "127.0.0.1")
    static let v6 = Addresses(
        outside: "fd50:1::2", pod: "fd50:2::2", podService: "fd96::10", outsideService: "fd96::20", loopback: "::1")

    private let suffix = String(UInt32.random(in: 0 ... .max), radix: 36)

    init() throws {
        let (outside, node, pod) = (name(.outside), name(.node), name(.pod))
        try Self.shell(
            """
            for name in \(outside) \(node) \(pod); do
                ip netns add $name
                ip -n $name link set lo up
                # Link-local addresses serve at once, without a search for duplicates.
                ip netns exec $name sh -c 'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad'
            done
            ip -n \(node) link add down0 type veth peer name eth0 netns \(outside)
            ip -n \(node) link add down1 type veth peer name eth0 netns \(pod)
            place() {
                ip -n $1 address add 10.50.$3/24 dev $2
                ip -n $1 address add fd50:$4/64 dev $2 nodad
                ip -n $1 link set $2 up
            }
            place \(outside) eth0 1.2 1::2
            place \(node) down0 1.1 1::1
            place \(pod) eth0 2.2 2::2
            place \(node) down1 2.1 2::1
            for name in \(outside) \(pod); do
                subnet=$([ $name = \(outside) ] && echo 1 || echo 2)
                ip -n $name route add default via 10.50.$subnet.1
                ip -n $name -6 route add default via fd50:$subnet::1
            done
            ip netns exec \(node) sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward
                echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
            ip netns exec \(node) nft -f - <<'RULES'
            table inet services {
                chain addresses {
                    type nat hook prerouting priority dstnat;
                    ip daddr 10.96.0.10 tcp dport 80 dnat ip to 10.50.2.2:8080
                    ip daddr 10.96.0.20 tcp dport 80 dnat ip to 10.50.1.2:8443
                    ip6 daddr fd96::10 tcp dport 80 dnat ip6 to [fd50:2::2]:8080
                    ip6 daddr fd96::20 tcp dport 80 dnat ip6 to [fd50:1::2]:8443
                }
                chain hairpin {
                    type nat hook postrouting priority srcnat;
                    ip saddr 10.50.2.2 ip daddr 10.50.2.2 masquerade
                    ip6 saddr fd50:2::2 ip6 daddr fd50:2::2 masquerade
                }
            }
            RULES
            """)
    }

    deinit {
        for place in Place.allCases { try? Self.shell("ip netns delete \(name(place)) 2>/dev/null || true") }
    }

    func name(_ place: Place) -> String { "postern-\(place.rawValue)-\(suffix)" }

    /// The words that run a command there.
    func prefix(_ place: Place) -> [String] { ["ip", "netns", "exec", name(place)] }

    /// Starts a process there.
    func start(_ command: [String], in place: Place, folder: String? = nil) throws -> ChildProcess {
        try ChildProcess(prefix(place) + command, in: folder)
    }

    /// Runs a command there to its end, and returns what it wrote.
    @discardableResult
    func run(_ command: [String], in place: Place, expecting code: Int32? = 0) throws -> String {
        let process = try start(command, in: place)
        process.closeInput()
        let exit = process.awaitExit(within: .seconds(20))
        let output = process.standardOutput.text + process.standardError.text
        guard code == nil || exit == code.map({ .code($0) }) else {
            throw NetworkFault(description: "\(command.joined(separator: " ")): \(String(describing: exit)) \(output)")
        }
        return output
    }

    /// Runs lines of a shell there, each of which must succeed.
    func shell(_ script: String, in place: Place) throws {
        try run(["sh", "-eu", "-c", script], in: place)
    }

    /// Loads rules of nft there.
    func nft(_ rules: String, in place: Place) throws {
        try shell("nft -f - <<'RULES'\n\(rules)\nRULES\n", in: place)
    }

    private static func shell(_ script: String) throws {
        let process = try ChildProcess(["sh", "-eu", "-c", script])
        process.closeInput()
        let exit = process.awaitExit(within: .seconds(20))
        guard exit == .code(0) else {
            throw NetworkFault(
                description: "no network namespaces, which take root and nftables: \(process.standardError.text)")
        }
    }
}

struct NetworkFault: Error, CustomStringConvertible {
    let description: String
}
