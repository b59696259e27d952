import EventLoop
import Policy
import ProxyProtocol
import Settings
import System
import TLS

extension Worker {
    /// Reads the PROXY protocol header of a load balancer's connection; what follows it is the client's first flight.
    ///
    /// The time limit is that of the handshake, which began when the connection was accepted.
    mutating func proxyHeaderReceived(_ slot: Int32, _ bytes: RawSpan) -> ConnectionMachine.Course {
        guard isBalancer(connections[slot].source, connections[slot].listener) else {
            connections[slot].code = "proxy-header"
            connections[slot].detail = "the load balancer is not listed any more"
            return connections[slot].machine.end(.handshakeFailed)
        }
        var header = connections[slot].flight
        let held = header.count
        let room = min(bytes.byteCount, ProxyHeaderReader.bytesAtMost - held)
        // Safe: the bytes are copied at once.
        unsafe bytes.extracting(0..<room).withUnsafeBytes { unsafe header.append(contentsOf: $0) }
        switch ProxyHeaderReader.read(header) {
        case .incomplete where header.count < ProxyHeaderReader.bytesAtMost:
            connections[slot].flight = header
            heldFlightBytes += header.count - held
            return .goesOn
        case .incomplete, .malformed:
            connections[slot].code = "proxy-header"
            connections[slot].detail = "the load balancer sent no PROXY protocol header"
            return connections[slot].machine.end(.handshakeFailed)
        case .complete(let count, let ends):
            connections[slot].flight = []
            heldFlightBytes -= held
            if let ends {
                connections[slot].claimedDestination = SocketAddress(ends.destination)
                let course = takeSource(slot, SocketAddress(ends.source))
                guard course == .goesOn else { return course }
            }
            // What was held was no whole header, so that the rest is among the bytes that just came.
            let rest = bytes.extracting((count - held)..<bytes.byteCount)
            let course = expectClient(slot)
            guard !rest.isEmpty, course == .goesOn else { return course }
            return connections[slot].machine.isPlain
                ? copyBytes(slot, rest, from: .peer) : openingReceived(slot, rest)
        }
    }
}

extension Worker {
    /// Whether the listener takes headers from that address now.
    func isBalancer(_ source: SocketAddress, _ listener: Int) -> Bool {
        listeners[listener].plan.balancers.contains { $0.contains(source.endpoint.address) }
    }
}

extension SocketAddress {
    init(_ end: ProxyHeader.End) { self.init(Endpoint(address: end.address, port: end.port)) }
}
