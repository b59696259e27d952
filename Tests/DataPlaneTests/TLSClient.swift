import EventLoop
import System
import TLS
import TLSTesting
import Testing
@testable import SVID

/// A client outside the proxy that speaks TLS over a simulated socket.
final class TLSClient {
    let socket: PeerSocket
    private(set) var failure: TLSFailure?
    private(set) var isEstablished = false
    private(set) var closed = false
    private(set) var plaintext = StreamCheck()
    private var end: End
    private var outbox: [UInt8] = []
    private var stream: Stream
    private var saidClose: Bool

    /// - Parameter closing: it sends close_notify once its stream is sent.
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
            acceptPeer: { _ in true }, clock: WallClock.seconds)
        end = try End(context)
        step([])
    }

    var isOver: Bool { failure != nil || closed || socket.wasReset || socket.isFinished }

    /// Nothing of it is in flight.
    var isIdle: Bool { outbox.isEmpty && socket.unread == 0 }

    /// Reads what has arrived and writes as much as there is room for, at most `sending` bytes of its stream.
    func act(_ limit: Int, sending: Int = 16 * 1024, reads: Bool = true) {
        let bytes = reads ? socket.read(limit) : []
        if !bytes.isEmpty { step(bytes) }
        if isEstablished, failure == nil, outbox.count < 64 * 1024 {
            if !stream.isDone {
                let next = Array(stream.next(min(limit, sending)))
                if !next.isEmpty { outbox += end.seal(next) }
                stream.wrote(next.count)
            } else if !saidClose {
                saidClose = true
                outbox += end.closeNotify()
            }
        }
        outbox.removeFirst(socket.write(outbox.prefix(limit)))
    }

    private func step(_ bytes: [UInt8]) {
        guard failure == nil else { return }
        end.inbox += bytes
        if !isEstablished {
            outbox += end.handshake()
            switch end.outcome {
            case .wantsBytes: return
            case .failed(let failure):
                self.failure = failure
                return
            case .complete: isEstablished = true
            }
        }
        outbox += end.open()
        plaintext.take(end.plaintext)
        end.plaintext = []
        switch end.opened {
        case .open: break
        case .closed: closed = true
        case .failed(let failure): self.failure = failure
        }
    }
}
