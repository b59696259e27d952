import CLibEvent
import Glibc
import System
import TLS

/// One check of an endpoint: a connect and, where it speaks TLS, a handshake and an orderly close. Never blocks;
/// belongs to the control thread.
///
/// In TLS 1.3 a handshake is complete before the server has looked at the client's certificate: only what follows tells
/// whether it accepts that.
final class EndpointCheck {
    enum Outcome: Equatable {
        case passed
        case failed(reason: String)
        /// For a reason of this host, such as its limit of descriptors: it says nothing of the endpoint.
        case notMade
    }

    /// Nil until it has ended.
    private(set) var outcome: Outcome?
    private let descriptor: OwnedDescriptor
    private var watch: EventWatch?
    private var session: TLSSession?
    /// Its handshake is complete, and it waits for the server's close.
    private var isClosing = false
    /// Monotonic milliseconds.
    private var deadline: Int64
    private let base: EventBase
    private let progressed: () -> Void

    /// - Parameters:
    ///   - context: of the route, if the endpoint is to shake hands.
    ///   - mark: of its socket; 0: none.
    ///   - progressed: called when ``outcome`` may be there, or is due earlier; not before this returns.
    init(
        of address: SocketAddress, _ context: TLSContext?, mark: UInt32, on base: EventBase, deadline: Int64,
        progressed: @escaping () -> Void
    ) {
        self.base = base
        self.deadline = deadline
        self.progressed = progressed
        let number = socket(address.family, postern_nonblocking_stream_socket, 0)
        descriptor = OwnedDescriptor(number)
        guard number >= 0, mark == 0 || setMark(mark, of: number) == 0 else {
            outcome = .notMade
            return
        }
        let result = address.connect(number)
        switch 0 - result {
        case 0, EINPROGRESS: break
        // No free port, no memory, and of a Unix socket a full backlog.
        case EADDRNOTAVAIL, ENOBUFS, ENOMEM, EAGAIN: outcome = .notMade
        default: outcome = .failed(reason: systemMessage(0 - result))
        }
        guard outcome == nil else { return }
        do {
            if let context { session = try TLSSession(context, exchange: RecordExchange()) }
            watch = try EventWatch(base, descriptor: number, for: .writing) { [unowned self] in connected() }
        } catch {
            outcome = .notMade
        }
    }

    /// Ends the check if it takes too long; returns the milliseconds until then.
    func tick(now: Int64) -> Int {
        if outcome == nil, now >= deadline { end(isClosing ? .passed : .failed(reason: "no answer")) }
        return Int(max(1, deadline - now))
    }

    private func connected() {
        var status: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        // The call writes one Int32, the size passed.
        guard unsafe getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &status, &size) == 0, status == 0 else {
            return end(.failed(reason: systemMessage(status)))
        }
        guard session != nil else { return end(.passed) }
        watch = try? EventWatch(base, descriptor: descriptor.number) { [unowned self] in received() }
        guard watch != nil else { return end(.notMade) }
        advance([])
    }

    private func received() {
        guard outcome == nil else { return }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        // Writes at most the array's length.
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe recv(descriptor.number, $0.baseAddress, $0.count, 0)
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else {
            // What a server does after the handshake, short of an alert, is no failure of it.
            if isClosing { return end(.passed) }
            return end(.failed(reason: count == 0 ? "the server disconnected" : systemMessage(errno)))
        }
        isClosing ? open(bytes[..<count]) : advance(bytes[..<count])
    }

    private func advance(_ input: ArraySlice<UInt8>) {
        var step: (outcome: HandshakeOutcome, consumed: Int) = (.wantsBytes, 0)
        let output = written(TLSSession.flightBytes) { step = unsafe session!.handshake(input.span.bytes, into: &$0) }
        // A flight is short: a socket that does not take it is stalled.
        guard send(output) else { return end(.failed(reason: "the server does not read")) }
        switch step.outcome {
        case .wantsBytes: break
        case .failed(let failure): end(.failed(reason: failure.detail))
        case .complete:
            isClosing = true
            deadline = min(deadline, MonotonicClock.milliseconds() + Self.closePatienceMilliseconds)
            progressed()
            let rest = input.dropFirst(step.consumed)
            if !rest.isEmpty { open(rest) }
            guard outcome == nil, send(written(TLSSession.flightBytes) { session!.closeNotify(into: &$0) }) else {
                return
            }
            _ = shutdown(descriptor.number, Int32(SHUT_WR))
        }
    }

    /// Reads what the server sends after its handshake: an alert, if it refuses this side's certificate.
    private func open(_ input: ArraySlice<UInt8>) {
        var step = OpenOutcome.open
        let plaintext = written(TLSSession.openCapacity(inputBytes: input.count)) {
            step = unsafe session!.open(input.span.bytes, into: &$0)
        }
        switch step {
        // Whoever sends data has let this side in.
        case .open: if !plaintext.isEmpty { end(.passed) }
        case .closed: end(.passed)
        case .failed(let failure): end(.failed(reason: failure.detail))
        }
    }

    private func written(_ capacity: Int, _ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
        // The span covers the array's uninitialised capacity and counts what it initialised.
        unsafe [UInt8](unsafeUninitializedCapacity: capacity) { room, count in
            var output = unsafe OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(room), initializedCount: 0)
            body(&output)
            count = unsafe output.finalize(for: UnsafeMutableRawBufferPointer(room))
        }
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        // The array outlives the call.
        let sent = unsafe bytes.withUnsafeBytes {
            unsafe $0.isEmpty ? 0 : Glibc.send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        return sent == bytes.count
    }

    private func end(_ outcome: Outcome) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        // Nobody looks at what still comes until this is released.
        watch = nil
        progressed()
    }

    private static let closePatienceMilliseconds: Int64 = 500
}
