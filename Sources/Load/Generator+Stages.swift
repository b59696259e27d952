import EventLoop
import Telemetry

/// The stages of a run, from the first dial to the last close.
extension Generator {
    /// Whether requests may start, and bulk bytes be sent.
    var isLoading: Bool {
        switch stage {
        case .warming, .measuring: true
        case .starting, .dialling, .draining, .closing, .over: false
        }
    }

    mutating func advanceStage() {
        let now = loop.now
        if isHopeless { return endEarly() }
        switch stage {
        case .starting: if plan.kind == .connect { beginWarmup() } else { stage = .dialling }
        case .dialling: if tried == clients.count { beginWarmup() }
        case .warming(let until): if now >= until { beginWindow() }
        case .measuring(let until): if now >= until { endWindow() }
        case .draining(let until): if busy == 0 || now >= until { beginClosing() }
        case .closing(let until):
            if live == 0 {
                stage = .over
            } else if now >= until {
                for slot in 0..<Int32(clients.count) { end(slot, reset: true) }
            }
        case .over: break
        }
    }

    /// Ends the run now and keeps the measurements so far.
    mutating func endEarly() {
        switch stage {
        case .starting, .dialling, .warming:
            resetWindow()
            endWindow()
            beginClosing()
        case .measuring: endWindow()
        case .draining, .closing, .over: break
        }
    }

    /// Every connection is established, or has failed once.
    mutating func beginWarmup() {
        let now = loop.now
        if plan.kind == .idle { marks.append(.idle(connections: serving)) }
        stage = .warming(until: plan.kind == .idle ? now : now + plan.warmupNanoseconds)
        schedule = plan.ratePerSecond.map { Schedule(ratePerSecond: $0, start: now) }
        if plan.kind != .connect {
            for slot in 0..<Int32(clients.count) where clients[slot].phase == .serving { begin(slot) }
        }
        if case .warming(let until) = stage, now >= until { beginWindow() }
    }

    // MARK: Private

    /// No request ever succeeded, and none is pending.
    private var isHopeless: Bool {
        guard stage == .dialling || isLoading, !tally.gotThrough, serving == 0, dialling == 0 else { return false }
        return tally.failures >= UInt64(clients.count)
    }

    private mutating func beginWindow() {
        resetWindow()
        stage = .measuring(until: loop.now + plan.durationNanoseconds)
        marks.append(.measuring)
    }

    private mutating func resetWindow() {
        tally.isMeasuring = true
        tally.latency.removeAll()
        tally.requests = 0
        tally.bytesUp = 0
        tally.bytesDown = 0
        if plan.kind == .connect {
            tally.connect.removeAll()
            tally.handshake.removeAll()
        }
        window.start = loop.now
        window.processorStart = .now()
    }

    private mutating func endWindow() {
        let now = loop.now
        window.end = now
        window.processorEnd = .now()
        window.requests = tally.requests
        window.bytesUp = tally.bytesUp
        window.bytesDown = tally.bytesDown
        marks.append(.measured)
        // Wait twice the slowest latency for requests in flight.
        let patience = max(Self.patienceNanoseconds, 2 * (tally.latency.maximum ?? 0))
        countUnsent(at: now)
        stage = .draining(until: now + min(plan.timeoutNanoseconds, patience))
        if plan.kind == .idle { beginClosing() }
        if case .bulk = plan.kind { beginClosing() }
    }

    /// Due requests that were not started have waited at least until now, which enters the latencies.
    private mutating func countUnsent(at now: UInt64) {
        guard let schedule else { return }
        if plan.kind == .connect {
            for index in begunConnects..<max(begunConnects, schedule.dueCount) {
                noteUnsent(schedule.due(index), now)
            }
        } else {
            let stride = UInt64(clients.count)
            for slot in 0..<Int32(clients.count) {
                var index = clients[slot].begun * stride + UInt64(slot)
                while index < schedule.dueCount {
                    noteUnsent(schedule.due(index), now)
                    index += stride
                }
            }
        }
    }

    private mutating func noteUnsent(_ due: UInt64, _ now: UInt64) {
        unsent += 1
        tally.latency.record(now - min(due, now))
    }

    private mutating func beginClosing() {
        for slot in 0..<Int32(clients.count) where clients[slot].isBusy {
            unanswered += 1
            tally.latency.record(loop.now - min(clients[slot].dueAt, loop.now))
            clients[slot].isBusy = false
            busy -= 1
        }
        tally.errors.note(
            "unanswered", "requests without a response at the end, after the final wait",
            count: unanswered)
        stage = .closing(until: loop.now + Self.closingNanoseconds)
        for slot in 0..<Int32(clients.count) {
            timers.cancel(slot)
            switch (clients[slot].phase, plan.kind) {
            case (.serving, .bulk): end(slot, reset: true)
            case (.serving, _): close(slot)
            case (.connecting, _), (.handshaking, _): end(slot, reset: true)
            case (.resting, _), (.closing, _), (.ending, _): break
            }
        }
        if live == 0 { stage = .over }
    }

    private static var patienceNanoseconds: UInt64 { 250_000_000 }
    private static var closingNanoseconds: UInt64 { 500_000_000 }
}
