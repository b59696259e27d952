import Glibc
import Loopback
import PosternTesting
import Telemetry

/// Connections that each send a message, wait for its echo, and repeat. Units: messages.
struct EchoLoad {
    /// When the next message of a connection is sent.
    enum Pace {
        /// As soon as the previous one has been echoed (closed loop).
        case closed
        /// At a fixed rate over all connections (open loop); latency counts from the due time.
        case open(perSecond: Int)
    }

    let pace: Pace
    let connections: Int
    let window: Duration

    /// - Parameter whenWarm: called once all connections are established; the load it starts shares the warm-up.
    func measure(_ pair: ProxyPair, whenWarm: () throws -> Void = {}) throws -> Sample {
        var round = EchoRound(pace: pace)
        for _ in 0..<connections { try round.connect(to: pair.address) }
        try round.run(until: .within(.milliseconds(200)))
        try whenWarm()
        try round.run(until: .within(.milliseconds(100)))
        round.forgetLatencies()
        let stopwatch = Stopwatch(pair)
        try round.run(until: .within(window))
        // A window may be shorter than a stall.
        let patience = Deadline.within(.seconds(10))
        while round.latencies.count == 0, !patience.hasPassed {
            try round.run(until: .within(.milliseconds(20)))
        }
        guard let latency = HistogramSummary(round.latencies) else {
            throw BenchFault.nothingMoved("echo through \(pair.label)")
        }
        return stopwatch.sample(units: Double(latency.count), latency: latency)
    }
}

private struct EchoRound: ~Copyable {
    let pace: EchoLoad.Pace
    /// In nanoseconds.
    private(set) var latencies = Histogram()
    private var clients: [Client] = []
    private var poller = Poller()
    private var buffer = [UInt8](repeating: 0, count: Self.messageBytes)
    private let message = [UInt8](repeating: 0x42, count: Self.messageBytes)

    private struct Client {
        let connection: TCPConnection
        var sentNanoseconds: Int64 = 0
        var missingBytes = 0
        /// Open loop only.
        var dueNanoseconds: Int64 = 0
    }

    init(pace: EchoLoad.Pace) { self.pace = pace }

    mutating func connect(to address: SocketAddress) throws {
        let connection = try TCPConnection.connect(to: address)
        try connection.send([Backend.Mode.echo.rawValue])
        poller.add(connection.number, .reading, key: clients.count)
        clients.append(Client(connection: connection))
    }

    mutating func forgetLatencies() { latencies.removeAll() }

    mutating func run(until deadline: Deadline) throws {
        let start = nanosecondsNow()
        for slot in clients.indices {
            clients[slot].dueNanoseconds = start + intervalNanoseconds * Int64(slot) / Int64(clients.count)
            if clients[slot].missingBytes == 0, intervalNanoseconds == 0 { try send(slot, at: start) }
        }
        while !deadline.hasPassed {
            let nextDue = intervalNanoseconds > 0 ? try sendDue() : Int64.max
            let wake = Deadline.within(.nanoseconds(max(0, nextDue - nanosecondsNow())))
            for event in poller.wait(until: nextDue == .max ? deadline : wake) { try receive(event.key) }
        }
    }

    /// The interval between two messages of one connection; 0 in a closed loop.
    private var intervalNanoseconds: Int64 {
        switch pace {
        case .closed: 0
        case .open(let perSecond): 1_000_000_000 * Int64(clients.count) / Int64(perSecond)
        }
    }

    /// Sends due messages, and returns when the next one is due. A connection that still waits for an echo sends late.
    private mutating func sendDue() throws -> Int64 {
        let now = nanosecondsNow()
        var next = now + 1_000_000
        for slot in clients.indices where clients[slot].missingBytes == 0 {
            if clients[slot].dueNanoseconds <= now {
                try send(slot, at: clients[slot].dueNanoseconds)
                clients[slot].dueNanoseconds += intervalNanoseconds
            } else {
                next = min(next, clients[slot].dueNanoseconds)
            }
        }
        return next
    }

    private mutating func send(_ slot: Int, at moment: Int64) throws {
        clients[slot].sentNanoseconds = moment
        clients[slot].missingBytes = message.count
        let sent = clients[slot].connection.sendSome(message, from: 0, count: message.count)
        guard sent == message.count else { throw SocketFault.reset }
    }

    private mutating func receive(_ slot: Int) throws {
        let count = clients[slot].connection.receiveSome(into: &buffer)
        if count < 0, errno == EAGAIN { return }
        guard count > 0 else { throw SocketFault.reset }
        clients[slot].missingBytes -= count
        guard clients[slot].missingBytes == 0 else { return }
        let now = nanosecondsNow()
        latencies.record(UInt64(max(0, now - clients[slot].sentNanoseconds)))
        if intervalNanoseconds == 0 { try send(slot, at: now) }
    }

    private static let messageBytes = 1024
}
