import EventLoop
import Settings
import System
import TLS
import Telemetry

/// What no route matches, relayed in plaintext to where it wanted to go.
extension Worker {
    /// Passes a connection through; nil if its listener refuses what no route matches.
    mutating func passThrough(_ slot: Int32) -> ConnectionMachine.Course? {
        guard connections[slot].plan.passesUnmatched, connections[slot].destination != nil else { return nil }
        // Whoever keeps a name from being answered must not strip the connections to it of their protection.
        guard !connections[slot].plan.hasUnknownDestination else {
            connections[slot].detail = "a name among the destinations of the routes has no address yet"
            return nil
        }
        connections[slot].machine.passesThrough()
        connections[slot].round = round
        passedConnections += 1
        return dial(slot)
    }

    /// Forwards received bytes as they are.
    mutating func copyBytes(_ slot: Int32, _ bytes: RawSpan, from leg: Leg) -> ConnectionMachine.Course {
        guard !bytes.isEmpty else { return .goesOn }
        if leg == .peer {
            switch connections[slot].machine.application {
            case .socket: break
            case .discard, .source:
                connections[slot][.peer].receivedBytes += UInt64(bytes.byteCount)
                return .goesOn
            case .echo:
                connections[slot][.peer].receivedBytes += UInt64(bytes.byteCount)
                return copyBytes(slot, bytes, from: .application)
            }
        }
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        // Safe: a receive fills at most a receive buffer, which is smaller than one of the pool.
        let memory = unsafe pool.memory(buffer)
        unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        connections[slot][leg].receivedBytes += UInt64(bytes.byteCount)
        enqueue(buffer, bytes.byteCount, slot, leg.other, payload: leg == .application ? bytes.byteCount : 0)
        return .goesOn
    }

    /// Why a connection that is passed through must end; nil if it may go on.
    mutating func passageDenial(_ slot: Int32) -> Denial? {
        let listener = connections[slot].listener
        let plan = listeners[listener].plan
        guard listeners[listener].service != .removed else { return .listenerRemoved }
        guard plan.passesUnmatched else { return .noRoute }
        guard plan.route(of: connections[slot]) == nil else {
            connections[slot].detail = "a route matches it now, and it goes on without TLS no longer"
            return .policy
        }
        connections[slot].plan = plan
        connections[slot].round = round
        return nil
    }

    /// Adds where the client wanted to go, and whether its bytes were protected on their way.
    func describeDestination(_ slot: Int32, _ record: inout AccessRecord) {
        record.destination = connections[slot].destination?.endpoint.description
        guard connections[slot].machine.isPlain else { return }
        record.protected = false
        guard connections[slot].machine.isPassedThrough else { return }
        record.upstream = connections[slot].target?.endpoint.description
        record.decision = .passedThrough
        // The proxy's own identity had no part in it.
        record.localID = nil
    }
}
