import Glibc
import Loopback
import PosternTesting

/// Connects, echoes one byte, closes and repeats, on a few connections at a time. Units: connections.
struct ConnectLoad {
    let concurrency: Int
    let window: Duration

    func measure(_ pair: ProxyPair) throws -> Sample {
        var round = ConnectRound(address: pair.address)
        for _ in 0..<concurrency { try round.begin() }
        try round.run(until: .within(.milliseconds(200)))
        let before = round.completed
        let stopwatch = Stopwatch(pair)
        try round.run(until: .within(window))
        // A window may be shorter than a handshake on a busy machine.
        let patience = Deadline.within(.seconds(10))
        while round.completed == before, !patience.hasPassed { try round.run(until: .within(.milliseconds(20))) }
        guard round.completed > before else { throw BenchFault.nothingMoved("connecting through \(pair.label)") }
        return stopwatch.sample(units: Double(round.completed - before))
    }
}

/// Successive connections, a few at a time.
struct ConnectRound: ~Copyable {
    let address: SocketAddress
    private(set) var completed = 0
    private var clients: [TCPConnection] = []
    private var poller = Poller()
    private var buffer = [UInt8](repeating: 0, count: 16)

    init(address: SocketAddress) { self.address = address }

    mutating func begin() throws {
        let client = try TCPConnection.beginConnecting(to: address)
        poller.add(client.number, .writing, key: clients.count)
        clients.append(client)
    }

    mutating func run(until deadline: Deadline) throws {
        while !deadline.hasPassed {
            for event in poller.wait(until: deadline) {
                if event.writable {
                    let request = [Backend.Mode.echo.rawValue, 1]
                    guard clients[event.key].sendSome(request, from: 0, count: 2) == 2 else { throw SocketFault.reset }
                    poller.change(clients[event.key].number, .reading, key: event.key)
                } else {
                    try finish(event.key)
                }
            }
        }
    }

    private mutating func finish(_ slot: Int) throws {
        let count = clients[slot].receiveSome(into: &buffer)
        if count < 0, errno == EAGAIN { return }
        guard count == 1 else { throw SocketFault.reset }
        completed += 1
        clients[slot].close()
        clients[slot] = try TCPConnection.beginConnecting(to: address)
        poller.add(clients[slot].number, .writing, key: slot)
    }
}
