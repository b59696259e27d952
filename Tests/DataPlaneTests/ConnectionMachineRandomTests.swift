import PosternTesting
import Testing

@testable import DataPlane

@Suite("The connection machine under random events")
struct ConnectionMachineRandomTests {
    @Test("whatever happens, it ends, and never plans a forbidden action", arguments: 0..<20)
    func random(_ block: UInt64) {
        for seed in (block * 500)..<(block * 500 + 500) {
            var world = World(seed: seed)
            world.run()
            #expect(world.flaw == nil, "seed \(seed): \(world.flaw ?? "")")
            if world.flaw != nil { return }
        }
    }
}

/// A world without bytes: it completes what the machine starts, in any order and with any outcome.
private struct World {
    var generator: SeededGenerator
    var machine: ConnectionMachine
    var flaw: String?
    private var receiving: Set<Leg> = []
    private var sending: Set<Leg> = []
    private var connecting = false
    private var racing = false
    private var ended: Set<Leg> = []
    private var finished: Set<Leg> = []
    private var closeNotifies = 0
    private var authorized = false
    private var released = false

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        machine = ConnectionMachine(generator.chance(50) ? .inbound : .outbound)
        if generator.chance(25) { machine = ConnectionMachine(spareOf: .outbound) }
    }

    mutating func run() {
        if machine.mode == .outbound {
            if !machine.wasSpare, generator.chance(30) {
                machine.passesThrough()
                authorized = true
            }
            dial()
        }
        for step in 0..<400 where !released && flaw == nil {
            settle()
            if released { break }
            happen(step)
        }
        // However long it lives, an end requested now completes.
        look(machine.cut(.drained))
        for _ in 0..<40 where !released && flaw == nil {
            settle()
            if !released { completeOne(failing: generator.chance(30)) }
            if generator.chance(20) { look(machine.cut(.drained)) }
        }
        if !released, flaw == nil { flaw = "it never ended: \(machine)" }
    }

    /// An event's result is the course of the connection.
    private mutating func look(_ course: ConnectionMachine.Course) {
        if course != machine.course { flaw = "an outcome that is none: \(machine)" }
    }

    private mutating func settle() {
        for round in 0..<20 {
            let actions = machine.plan()
            if actions.isEmpty { return }
            if actions.contains(.redial) {
                if !receiving.isEmpty || !sending.isEmpty || connecting { flaw = "redialled under an operation" }
                if authorized { flaw = "redialled after authorization" }
                machine.redialled()
                ended.remove(.peer)
                finished.remove(.peer)
                dial()
                continue
            }
            if actions.contains(.release) {
                if !receiving.isEmpty || !sending.isEmpty || connecting || racing {
                    flaw = "released under an operation"
                }
                if machine.isPlain, machine.reason != .finished, !machine.peer.resetsOnClose {
                    flaw = "an end of ours looks orderly without TLS"
                }
                released = true
                return
            }
            start(actions)
            if round == 19 { flaw = "the plan does not settle: \(machine)" }
        }
    }

    private mutating func start(_ actions: ConnectionActions) {
        for leg in Leg.allCases {
            if actions.contains(.receive(leg)) {
                if !receiving.insert(leg).inserted { flaw = "two receives" }
                if machine.holdsFlight { flaw = "a receive behind a flight" }
                if ended.contains(leg) { flaw = "a receive after the end" }
                if leg != machine.downstream, !authorized, machine.mode == .inbound { flaw = "read before authorized" }
                if leg == .application, !authorized, machine.phase != .lingering { flaw = "the application before" }
            }
            if actions.contains(.send(leg)) {
                if !sending.insert(leg).inserted { flaw = "two sends" }
                if finished.contains(leg) { flaw = "a send after FIN" }
                if leg == .application, !authorized { flaw = "a byte before authorization" }
            }
            if actions.contains(.finish(leg)), !finished.insert(leg).inserted { flaw = "two FINs" }
        }
        if machine.isPlain, actions.contains(.closeNotify) || actions.contains(.alert) { flaw = "TLS in plaintext" }
        if actions.contains(.closeNotify) {
            closeNotifies += 1
            if closeNotifies > 1 { flaw = "two close_notifies" }
            machine.queued(1, on: .peer)
        }
        if actions.contains(.alert) {
            if closeNotifies > 0 { flaw = "an alert after close_notify" }
            machine.queued(1, on: .peer)
        }
        if actions.contains(.produce) { machine.queued(1, on: .peer) }
    }

    private mutating func happen(_ step: Int) {
        switch machine.phase {
        case .dialling where connecting && !racing && generator.chance(20):
            machine.rivalDialled()
            racing = true
        case .spare where generator.chance(20):
            guard generator.chance(70) else { return look(machine.retire()) }
            authorized = true
            machine.adopted()
        case .handshaking where machine.awaitsUpstreamHandshake && generator.chance(10):
            machine.redials(isBroken: generator.chance(30))
        case .redialling where generator.chance(5): machine.upstreamBroke()
        case .waiting, .handshaking:
            if machine.holdsFlight, generator.chance(50) {
                machine.tookFlight()
                if machine.phase == .waiting { machine.admitted() }
                return takeStep()
            }
            if receiving.contains(.peer), generator.chance(40) {
                receiving.remove(.peer)
                machine.received(.peer)
                return machine.heldFlight()
            }
            fallthrough
        default:
            if generator.chance(2) { look(machine.end(.connectTimeout, lingering: generator.chance(50))) }
            if generator.chance(1) { look(machine.cut(.idleTimeout)) }
            completeOne(failing: generator.chance(4))
        }
    }

    /// A step of the handshake.
    private mutating func takeStep() {
        if generator.chance(60) { machine.queued(1, on: .peer) }
        if generator.chance(30) { return look(machine.end(.policyDenied, lingering: generator.chance(50))) }
        guard generator.chance(50) else { return }
        if machine.wasSpare { return machine.waitsForApplication() }
        authorized = true
        let all: [ConnectionMachine.Application] =
            machine.mode == .inbound ? [.socket, .echo, .discard, .source] : [.socket]
        _ = machine.authorized(all.randomElement(using: &generator) ?? .socket)
        if machine.phase == .dialling { dial() }
    }

    private mutating func dial() {
        guard generator.chance(90) else { return look(machine.end(.upstreamUnreachable, lingering: true)) }
        machine.dialled()
        connecting = true
    }

    private mutating func completeOne(failing: Bool) {
        // The rival, or the leg's own connect in whose place the rival goes on.
        if racing, generator.chance(30) {
            racing = false
            return look(machine.rivalEnded())
        }
        if connecting, generator.chance(50), !racing || !failing || machine.phase != .dialling {
            connecting = false
            let dials = machine.phase == .dialling
            look(machine.connectEnded(succeeded: !failing || !dials))
            if failing, dials { dial() }
            return
        }
        if let leg = sending.randomElement(using: &generator), generator.chance(50) {
            sending.remove(leg)
            if failing { look(machine.sendFailed(leg)) } else { machine.sent(generator.chance(70) ? 1 : 0, on: leg) }
            return
        }
        guard let leg = receiving.randomElement(using: &generator) else { return }
        if machine.phase == .waiting || machine.phase == .handshaking, !failing { return }
        receiving.remove(leg)
        if failing {
            ended.insert(leg)
            return look(machine.receiveFailed(leg))
        }
        machine.received(leg)
        guard machine.phase == .relaying || machine.phase == .lingering else { return }
        if generator.chance(15) {
            ended.insert(leg)
            if leg == .peer, !machine.isPlain, generator.chance(30), machine.phase == .relaying {
                return look(machine.peerTruncated())
            }
            return look(machine.readEnded(leg))
        }
        guard machine.phase == .relaying else { return }
        let sink: Leg = machine.application == .socket ? leg.other : .peer
        if machine.application != .discard, machine.application != .source, !machine[sink].writeFailed {
            machine.queued(1, on: sink)
        }
        if machine[.peer].queued > 6 || machine[.application].queued > 6 { flaw = "no backpressure: \(machine)" }
    }
}
