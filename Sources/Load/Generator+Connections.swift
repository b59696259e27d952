import EventLoop
import Glibc
import Identity
import SVID
import System
import TLS
import Telemetry

/// Dialling, handshakes, closing.
extension Generator {
    /// Dials the slots for the first time, a few at a time.
    mutating func dialNext() {
        guard plan.kind != .connect, stage == .dialling else { return }
        while dialling < Self.diallingLimit, Int(nextToDial) < clients.count {
            nextToDial += 1
            dial(nextToDial - 1)
        }
    }

    mutating func dial(_ slot: Int32) {
        clients[slot].failed = false
        clients[slot].startedAt = loop.now
        let descriptor = loop.openSocket(for: plan.target.address)
        guard descriptor >= 0 else {
            noteFailure(slot, "no-descriptor", describe(0 - descriptor))
            return rest(slot)
        }
        live += 1
        dialling += 1
        clients[slot].descriptor = descriptor
        clients[slot].phase = .connecting
        clients[slot].connectInFlight = true
        timers.set(slot, deadline: loop.now + plan.timeoutNanoseconds)
        loop.connect(descriptor, to: plan.target.address, clients.token(.connect, slot))
    }

    mutating func connectCompleted(_ slot: Int32, _ completion: Completion) {
        clients[slot].connectInFlight = false
        guard clients[slot].phase == .connecting else { return finishEnding(slot) }
        guard completion.result == 0 else {
            return fail(slot, Self.connectKind(completion.errno), describe(completion.errno))
        }
        tally.connect.record(loop.now - clients[slot].startedAt)
        guard let context, let exchange else { return established(slot) }
        do throws(TLSFault) {
            clients[slot].session = try TLSSession(context, exchange: exchange)
        } catch {
            return fail(slot, "tls-fault", "\(error)")
        }
        clients[slot].phase = .handshaking
        clients[slot].startedAt = loop.now
        continueHandshake(slot, RawSpan())
    }

    /// Feeds received bytes to the handshake; its output goes into the send buffer.
    mutating func continueHandshake(_ slot: Int32, _ bytes: RawSpan) {
        var output = buffers.output(slot, from: clients[slot].outEnd)
        let (outcome, consumed) = clients[slot].handshake(bytes, into: &output)
        clients[slot].outEnd += Int32(output.byteCount)
        switch outcome {
        case .wantsBytes: break
        case .complete:
            noteHandshake(slot)
            established(slot)
            openRecords(slot, bytes.extracting(consumed..<bytes.byteCount))
        case .failed(let failure):
            noteFailure(slot, failure.code, failure.detail)
            // Send the alert first, if there is one.
            beginClose(slot)
        }
    }

    /// Closes a connection in order: sends close_notify and FIN, then reads until the target closes.
    mutating func close(_ slot: Int32) {
        precondition(clients[slot].phase == .serving, "only an established connection is closed")
        if Int(clients[slot].outEnd) + Self.closeNotifyBytes <= SendBuffers.bufferBytes {
            var output = buffers.output(slot, from: clients[slot].outEnd)
            clients[slot].closeNotify(into: &output)
            clients[slot].outEnd += Int32(output.byteCount)
        }
        beginClose(slot)
        pump(slot)
    }

    /// Counts an error and aborts the connection.
    mutating func fail(_ slot: Int32, _ kind: String, _ detail: String) {
        noteFailure(slot, kind, detail)
        end(slot, reset: true)
    }

    /// Ends the connection after its operations have completed.
    mutating func end(_ slot: Int32, reset: Bool) {
        switch clients[slot].phase {
        case .resting, .ending: return
        case .connecting, .handshaking: dialling -= 1
        case .serving: serving -= 1
        case .closing: break
        }
        clients[slot].phase = .ending
        clients[slot].endsWithReset = reset
        timers.cancel(slot)
        let descriptor = clients[slot].descriptor
        if clients[slot].connectInFlight { loop.cancel(descriptor, clients.token(.connect, slot)) }
        if clients[slot].receiveInFlight { loop.cancel(descriptor, clients.token(.receive, slot)) }
        if clients[slot].sendInFlight { loop.cancel(descriptor, clients.token(.send, slot)) }
        finishEnding(slot)
    }

    /// Closes the socket of an ending connection once no operation is in flight.
    mutating func finishEnding(_ slot: Int32) {
        guard clients[slot].phase == .ending, !clients[slot].hasOperations else { return }
        loop.close(clients[slot].descriptor, reset: clients[slot].endsWithReset)
        live -= 1
        let (life, begun, wasTried) = (clients[slot].life, clients[slot].begun, clients[slot].wasTried)
        let failed = clients[slot].failed
        clients[slot] = Client()
        clients[slot].life = life &+ 1
        clients[slot].begun = begun
        clients[slot].wasTried = wasTried
        clients[slot].failed = failed
        rest(slot)
    }

    mutating func timerFired(_ slot: Int32) {
        let now = loop.now
        switch clients[slot].phase {
        case .resting: if plan.kind == .connect { free.append(slot) } else if stage != .over { dial(slot) }
        case .connecting: fail(slot, "connect-timeout", "the connection was not established in time")
        case .handshaking: fail(slot, "handshake-timeout", "the handshake did not complete in time")
        case .serving:
            let quiet = now - max(clients[slot].lastActivity, clients[slot].startedAt)
            guard clients[slot].isBusy, quiet >= plan.timeoutNanoseconds else {
                let left = clients[slot].isBusy ? plan.timeoutNanoseconds - quiet : plan.timeoutNanoseconds
                return timers.set(slot, deadline: now + left)
            }
            tally.latency.record(now - min(clients[slot].dueAt, now))
            fail(slot, "timeout", "a request got no response in time")
        case .closing: end(slot, reset: true)
        case .ending: break
        }
    }

    /// Counts an error of this connection; its request, if any, is lost.
    mutating func noteFailure(_ slot: Int32, _ kind: String, _ detail: @autoclosure () -> String) {
        tally.failures += 1
        clients[slot].failed = true
        tally.errors.note(kind, detail())
        noteTried(slot)
        guard clients[slot].isBusy else { return }
        clients[slot].isBusy = false
        busy -= 1
    }

    // MARK: Private

    private mutating func established(_ slot: Int32) {
        dialling -= 1
        serving += 1
        mostServing = max(mostServing, serving)
        noteTried(slot)
        let start = Pattern.start(slot: slot, life: clients[slot].life)
        clients[slot].phase = .serving
        clients[slot].sendPosition = start
        clients[slot].receivePosition = start
        clients[slot].lastActivity = loop.now
        timers.set(slot, deadline: loop.now + plan.timeoutNanoseconds)
        queuePrelude(slot)
        if plan.kind == .connect {
            if plan.messageBytes == 0 { answered(slot) } else { send(slot) }
        } else if isLoading {
            begin(slot)
        }
        pump(slot)
    }

    private mutating func noteHandshake(_ slot: Int32) {
        clients[slot].isSecured = true
        tally.handshakes += 1
        tally.handshake.record(loop.now - clients[slot].startedAt)
        let resumed = clients[slot].withSession { $0.resumed } ?? false
        if resumed { tally.resumed += 1 }
        guard tally.facts == nil else { return }
        tally.facts = clients[slot].withSession { session in
            LoadResult.Negotiated(
                version: session.version.rawValue, cipher: session.cipher, peer: session.peer?.id.description ?? "",
                applicationProtocol: session.applicationProtocol)
        }
    }

    private mutating func noteTried(_ slot: Int32) {
        guard !clients[slot].wasTried else { return }
        clients[slot].wasTried = true
        tried += 1
    }

    private mutating func beginClose(_ slot: Int32) {
        switch clients[slot].phase {
        case .serving: serving -= 1
        case .connecting, .handshaking: dialling -= 1
        case .resting, .closing, .ending: return
        }
        clients[slot].phase = .closing
        clients[slot].toSend = 0
        timers.set(slot, deadline: loop.now + Self.closeNanoseconds)
    }

    /// A slot without a socket is redialled after a pause or, in `connect`, takes the next request.
    private mutating func rest(_ slot: Int32) {
        if stage == .over { return }
        if case .closing = stage { return }
        if clients[slot].failed || plan.kind != .connect {
            timers.set(slot, deadline: loop.now + Self.redialNanoseconds)
        } else {
            free.append(slot)
        }
    }

    private static func connectKind(_ code: Int32) -> String {
        switch code {
        case ECONNREFUSED: "connect-refused"
        case ETIMEDOUT: "connect-timeout"
        case ENETUNREACH, EHOSTUNREACH: "connect-unreachable"
        case EADDRNOTAVAIL: "no-local-port"
        default: "connect-failed"
        }
    }

    private static var diallingLimit: Int { 64 }
    private static var redialNanoseconds: UInt64 { 100_000_000 }
    private static var closeNanoseconds: UInt64 { 1_000_000_000 }
    private static var closeNotifyBytes: Int { 256 }
}
