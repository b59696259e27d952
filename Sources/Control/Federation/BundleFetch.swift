import CLibEvent
import Federation
import Glibc
import Identity
import Settings
import System
import TLS
import SVID

/// One poll of a bundle endpoint. Blocks on the network, so it never runs on the control thread.
struct BundleFetch: Sendable {
    let endpoint: BundleEndpoint
    /// How the server is authenticated.
    let trust: Trust
    /// Of the socket; 0 for none.
    let mark: UInt32

    enum Trust: Sendable {
        /// PEM file of root certificates; nil: the system's.
        case web(authorities: String?)
        /// Our own SVID with the endpoint's bundle as the only trust bundle, and the endpoint's SPIFFE ID.
        case spiffe(IdentityMaterial, SPIFFEID)
    }

    /// Why a poll failed, as text.
    struct Fault: Error, Hashable, Sendable {
        let description: String
    }

    func run() -> Result<BundleDocument, Fault> {
        do throws(Fault) {
            return .success(try fetch())
        } catch {
            return .failure(error)
        }
    }

    private func fetch() throws(Fault) -> BundleDocument {
        let url = endpoint.url
        // One deadline covers name resolution, connect, handshake and response.
        let deadline = MonotonicClock.milliseconds() + Self.patienceMilliseconds
        let socket: OwnedDescriptor
        do throws(ConnectFault) {
            socket = try OwnedDescriptor.connected(to: url.host, port: url.port, mark: mark, until: deadline)
        } catch {
            throw Fault(description: "\(error)")
        }
        var response = HTTPResponse(bodyBytesAtMost: BundleDocument.bytesAtMost)
        var outcome: Result<[UInt8], Fault>?
        let receive = { (bytes: [UInt8]) -> Bool in
            do throws(HTTPResponse.Flaw) {
                if let body = try response.take(bytes) { outcome = .success(body) }
            } catch {
                outcome = .failure(Fault(description: "\(error)"))
            }
            if outcome == nil, MonotonicClock.milliseconds() > deadline {
                outcome = .failure(Fault(description: "the response took too long"))
            }
            return outcome == nil
        }
        switch trust {
        case .web(let authorities):
            do throws(WebClientFault) {
                try WebClient.exchange(
                    socket.number, host: url.host, trust: .web(authorities: authorities), request: request,
                    remainingMilliseconds: { Self.remaining(until: deadline) }, receive: receive)
            } catch {
                throw Fault(description: "\(error)")
            }
        case .spiffe(let material, let id):
            try exchange(over: socket.number, material, id, deadline, receive)
        }
        guard let body = try outcome?.get() else { throw Fault(description: "the server sent no response") }
        do throws(BundleDocumentFlaw) {
            return try BundleDocument(parsing: body)
        } catch {
            throw Fault(description: "\(error)")
        }
    }

    private var request: [UInt8] {
        let url = endpoint.url
        let host = url.host.contains(":") ? "[\(url.host)]" : url.host
        let lines = [
            "GET \(url.path) HTTP/1.1", "Host: \(host)\(url.port == 443 ? "" : ":\(url.port)")",
            "Accept: application/json", "User-Agent: postern", "Connection: close", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    // MARK: TLS by SPIFFE ID

    private func exchange(
        over number: Int32, _ material: IdentityMaterial, _ id: SPIFFEID, _ deadline: Int64,
        _ receive: ([UInt8]) -> Bool
    ) throws(Fault) {
        let link: SPIFFELink
        do throws(TLSFault) {
            link = try SPIFFELink(number, material, id, deadline)
        } catch {
            throw Fault(description: "\(error)")
        }
        guard link.handshake() else { throw Fault(description: link.failure) }
        guard link.send(request) else { throw Fault(description: link.failure) }
        while true {
            guard let bytes = link.receive() else { throw Fault(description: link.failure) }
            if !receive(bytes) || bytes.isEmpty { return }
        }
    }

    /// Timeout for `poll`.
    fileprivate static func remaining(until deadline: Int64) -> Int32 {
        Int32(clamping: max(0, deadline - MonotonicClock.milliseconds()))
    }

    private static let patienceMilliseconds: Int64 = 15_000
}

/// A TLS session to the server with one SPIFFE ID, over a blocking socket owned by the caller.
private final class SPIFFELink {
    private(set) var failure = "the connection failed or timed out"
    private let number: Int32
    /// Monotonic milliseconds.
    private let deadline: Int64
    private var session: TLSSession
    private var early: [UInt8] = []
    private var isClosed = false

    init(_ number: Int32, _ material: IdentityMaterial, _ id: SPIFFEID, _ deadline: Int64) throws(TLSFault) {
        self.number = number
        self.deadline = deadline
        let context = try TLSContext(
            dialling: material, options: TLSOptions(), applicationProtocols: [], serverName: nil,
            acceptPeer: { $0 == id }, clock: WallClock.seconds)
        session = try TLSSession(context, exchange: RecordExchange())
    }

    func handshake() -> Bool {
        var input: [UInt8] = []
        while true {
            var outcome = HandshakeOutcome.wantsBytes
            var consumed = 0
            let output = written { room in
                (outcome, consumed) = unsafe session.handshake(input.span.bytes, into: &room)
            }
            guard write(output) else { return false }
            switch outcome {
            case .complete:
                early = Array(input[consumed...])
                return true
            case .failed(let fault):
                failure = fault.detail
                return false
            case .wantsBytes:
                guard let bytes = read(), !bytes.isEmpty else { return false }
                input = bytes
            }
        }
    }

    func send(_ bytes: [UInt8]) -> Bool {
        let output = written { room in _ = unsafe session.seal(bytes.span.bytes, into: &room) }
        return write(output)
    }

    /// The next plaintext; empty at the server's close_notify, nil if the connection failed.
    func receive() -> [UInt8]? {
        while !isClosed {
            var input = early
            early = []
            if input.isEmpty {
                guard let bytes = read(), !bytes.isEmpty else { return nil }
                input = bytes
            }
            var outcome = OpenOutcome.open
            let plaintext = written { room in outcome = unsafe session.open(input.span.bytes, into: &room) }
            switch outcome {
            case .open: break
            case .closed: isClosed = true
            case .failed(let fault):
                failure = fault.detail
                return nil
            }
            if !plaintext.isEmpty { return plaintext }
        }
        return []
    }

    private func read() -> [UInt8]? {
        let remaining = BundleFetch.remaining(until: deadline)
        guard remaining > 0, OwnedDescriptor.wait(number, for: POLLIN, timeoutMilliseconds: remaining) else {
            return nil
        }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        // Writes at most the buffer's length.
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, $0.count, 0) }
        return count < 0 ? nil : Array(buffer[..<count])
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            // The array outlives the call.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(number, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func written(_ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
        // The span covers the array's uninitialised capacity and counts what it initialised.
        unsafe [UInt8](unsafeUninitializedCapacity: 64 * 1_024) { buffer, count in
            var output = unsafe OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
            body(&output)
            count = unsafe output.finalize(for: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
