import CLibEvent
import Glibc
import System
import TLS

/// One check of an endpoint: a connect and, where it speaks TLS, a handshake. Never blocks; belongs to the control
/// thread.
final class EndpointCheck {
    /// Nil until it has ended; the reason of a failure.
    private(set) var outcome: Result<Void, Failure>?
    private let descriptor: OwnedDescriptor
    private var watch: EventWatch?
    private var session: TLSSession?
    /// Monotonic milliseconds.
    private let deadline: Int64
    private let base: EventBase
    private let progressed: () -> Void

    struct Failure: Error, Hashable {
        let reason: String
    }

    /// - Parameters:
    ///   - context: of the route, if the endpoint is to shake hands.
    ///   - mark: of its socket; 0: none.
    ///   - progressed: called when ``outcome`` may be there; not before this returns.
    init(
        of address: SocketAddress, _ context: TLSContext?, mark: UInt32, on base: EventBase, deadline: Int64,
        progressed: @escaping () -> Void
    ) throws(Failure) {
        self.base = base
        self.deadline = deadline
        self.progressed = progressed
        let number = socket(address.family, postern_nonblocking_stream_socket, 0)
        guard number >= 0 else { throw Failure(reason: systemMessage(errno)) }
        descriptor = OwnedDescriptor(number)
        let marked = mark == 0 ? 0 : setMark(mark, of: number)
        guard marked == 0 else { throw Failure(reason: systemMessage(0 - marked)) }
        let result = address.connect(number)
        guard result == 0 || result == 0 - EINPROGRESS else { throw Failure(reason: systemMessage(0 - result)) }
        do {
            if let context { session = try TLSSession(context, exchange: RecordExchange()) }
            watch = try EventWatch(base, descriptor: number, for: .writing) { [unowned self] in connected() }
        } catch {
            throw Failure(reason: "\(error)")
        }
    }

    /// Ends the check if it takes too long; returns the milliseconds until then.
    func tick(now: Int64) -> Int {
        if outcome == nil, now >= deadline { end("no answer") }
        return Int(max(1, deadline - now))
    }

    private func connected() {
        var status: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        // The call writes one Int32, the size passed.
        guard unsafe getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &status, &size) == 0, status == 0 else {
            return end(systemMessage(status))
        }
        guard session != nil else { return end(nil) }
        watch = try? EventWatch(base, descriptor: descriptor.number) { [unowned self] in received() }
        guard watch != nil else { return end("no memory") }
        advance([])
    }

    private func received() {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        // Writes at most the array's length.
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe recv(descriptor.number, $0.baseAddress, $0.count, 0)
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return end(count == 0 ? "the server disconnected" : systemMessage(errno)) }
        advance(Array(bytes[..<count]))
    }

    private func advance(_ input: [UInt8]) {
        var outcome = HandshakeOutcome.wantsBytes
        // The span covers the array's uninitialised capacity and counts what it initialised.
        let output = unsafe [UInt8](unsafeUninitializedCapacity: TLSSession.flightBytes) { room, count in
            var output = unsafe OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(room), initializedCount: 0)
            outcome = unsafe session!.handshake(input.span.bytes, into: &output).outcome
            count = unsafe output.finalize(for: UnsafeMutableRawBufferPointer(room))
        }
        // A flight is short: a socket that does not take it is stalled. The array outlives the call.
        let sent = unsafe output.withUnsafeBytes {
            unsafe $0.isEmpty ? 0 : send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == output.count else { return end("the server does not read") }
        switch outcome {
        case .wantsBytes: break
        case .complete: end(nil)
        case .failed(let failure): end(failure.detail)
        }
    }

    private func end(_ failure: String?) {
        guard outcome == nil else { return }
        outcome = failure.map { .failure(Failure(reason: $0)) } ?? .success(())
        progressed()
    }
}
