import EventLoop
import TLS
import Testing
@testable import SVID

/// A client outside the proxy that speaks TLS over a simulated socket.
final class TLSClient {
    let socket: PeerSocket
    private(set) var failure: TLSFailure?
    private(set) var isEstablished = false
    private(set) var closed = false
    private(set) var plaintext = StreamCheck()
    private var session: TLSSession
    private var outbox: [UInt8] = []
    private var stream: Stream
    private var saidClose: Bool

    /// - Parameter closing: it says close_notify once its stream is sent.
    init(
        _ socket: PeerSocket, as material: IdentityMaterial, sending stream: Stream, answer: UInt64,
        closing: Bool = true
    ) throws {
        self.socket = socket
        saidClose = !closing
        self.stream = stream
        plaintext = StreamCheck(number: answer)
        let context = try TLSContext(
            dialling: material, options: TLSOptions(), applicationProtocols: [], serverName: nil,
            acceptPeer: { _ in true }, clock: TestIdentities.now)
        session = try TLSSession(context, exchange: RecordExchange())
        step([])
    }

    var isOver: Bool { failure != nil || closed || socket.wasReset || socket.isFinished }

    /// Nothing of it is on its way.
    var isIdle: Bool { outbox.isEmpty && socket.unread == 0 }

    /// Reads what has come and writes what there is room for, `sending` bytes of its stream at most.
    func act(_ limit: Int, sending: Int = 16 * 1024, reads: Bool = true) {
        let bytes = reads ? socket.read(limit) : []
        if !bytes.isEmpty { step(bytes) }
        if isEstablished, failure == nil, outbox.count < 64 * 1024 {
            if !stream.isDone {
                let next = Array(stream.next(min(limit, sending)))
                if !next.isEmpty { send { unsafe $0.seal(next.span.bytes, into: &$1) } }
                stream.wrote(next.count)
            } else if !saidClose {
                saidClose = true
                send { session, output in
                    session.closeNotify(into: &output)
                    return .sealed
                }
            }
        }
        outbox.removeFirst(socket.write(outbox.prefix(limit)))
    }

    private func step(_ bytes: [UInt8]) {
        guard failure == nil else { return }
        var rest = bytes
        if !isEstablished {
            var outcome = HandshakeOutcome.wantsBytes
            var consumed = 0
            outbox += written { output in
                (outcome, consumed) = unsafe session.handshake(bytes.span.bytes, into: &output)
            }
            switch outcome {
            case .wantsBytes: return
            case .failed(let failure):
                self.failure = failure
                return
            case .complete:
                isEstablished = true
                rest.removeFirst(consumed)
            }
        }
        var outcome = OpenOutcome.open
        plaintext.take(written { outcome = unsafe session.open(rest.span.bytes, into: &$0) })
        switch outcome {
        case .open: break
        case .closed: closed = true
        case .failed(let failure): self.failure = failure
        }
    }

    private func send(_ body: (inout TLSSession, inout OutputRawSpan) -> SealOutcome) {
        outbox += written { _ = body(&session, &$0) }
    }

    private func written(_ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
        // Safe: the array's memory is uninitialised capacity, of which the span counts what it wrote.
        unsafe [UInt8](unsafeUninitializedCapacity: 128 * 1024) { buffer, count in
            var output = unsafe OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
            body(&output)
            count = unsafe output.finalize(for: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
