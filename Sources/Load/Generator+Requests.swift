import EventLoop
import Telemetry

/// The schedule of requests, and their completion.
extension Generator {
    /// Starts all due requests for which there is a client.
    mutating func startDue() {
        guard isLoading else { return }
        switch plan.kind {
        case .bulk, .idle: break
        case .echo: startDueEchoes()
        case .connect: startDueConnects()
        }
    }

    /// Starts the next request of an idle established client, if one is due.
    mutating func begin(_ slot: Int32) {
        switch plan.kind {
        case .bulk(.up), .bulk(.both):
            clients[slot].toSend = .max
            return pump(slot)
        case .bulk(.down), .idle, .connect: return
        case .echo: break
        }
        guard !clients[slot].isBusy, clients[slot].phase == .serving else { return }
        var due = loop.now
        if let schedule {
            let index = clients[slot].begun * UInt64(clients.count) + UInt64(slot)
            guard index < schedule.dueCount else { return }
            due = schedule.due(index)
        }
        clients[slot].begun += 1
        clients[slot].isBusy = true
        clients[slot].dueAt = due
        busy += 1
        send(slot)
        pump(slot)
    }

    /// Starts sending the message of the request in flight.
    mutating func send(_ slot: Int32) {
        // The timeout starts here, not at the due time.
        clients[slot].lastActivity = loop.now
        clients[slot].toSend = plan.messageBytes
        clients[slot].toReceive = plan.messageBytes
    }

    /// The request in flight is complete.
    mutating func answered(_ slot: Int32) {
        clients[slot].isBusy = false
        busy -= 1
        tally.everAnswered += 1
        if tally.isMeasuring {
            tally.requests += 1
            tally.latency.record(loop.now - min(clients[slot].dueAt, loop.now))
        }
        if plan.kind == .connect {
            close(slot)
        } else if isLoading {
            begin(slot)
        }
    }

    // MARK: Private

    private mutating func startDueEchoes() {
        guard schedule != nil else { return }
        while let index = schedule?.takeDue(by: loop.now) {
            begin(Int32(index % UInt64(clients.count)))
        }
    }

    /// Any free slot takes the oldest due request.
    private mutating func startDueConnects() {
        while schedule?.takeDue(by: loop.now) != nil {}
        while !free.isEmpty {
            var due = loop.now
            if let schedule {
                guard begunConnects < schedule.dueCount else { return }
                due = schedule.due(begunConnects)
            }
            guard let slot = free.popLast() else { return }
            begunConnects += 1
            clients[slot].isBusy = true
            clients[slot].dueAt = due
            busy += 1
            dial(slot)
        }
    }
}
