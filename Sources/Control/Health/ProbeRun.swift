import ApplicationHealth
import CLibEvent
import DataPlane
import Glibc
import Policy
import Settings
import System
import TLS
import WorkloadAPI

/// One probe of an application. Blocks on the network, so it never runs on the control thread.
///
/// As kubelet judges: a status from 200 to 399 is a success, redirects are followed on this host only, and what TLS
/// proves is not looked at.
struct ProbeRun: Sendable {
    enum Outcome: Hashable, Sendable {
        case passed
        /// - Parameter status: of HTTP, if the application gave one.
        case failed(reason: String, status: Int?)
    }

    let probe: ApplicationProbe
    /// The address that kubelet asked, by which it would have asked the application: the host of `Host`.
    let host: String
    let userAgent: String
    /// Of the pod, for an application that listens on these alone, and not on loopback.
    let addresses: [IPAddress]

    private struct Failure: Error {
        let reason: String
        var status: Int?
    }

    func run() -> Outcome {
        let deadline = MonotonicClock.milliseconds() + Int64(probe.timeoutMilliseconds)
        do throws(Failure) {
            switch probe.request {
            case .tcp: _ = try connected(probe.port, deadline)
            case .http(let http): try ask(http, deadline)
            case .grpc(let service): try call(service, deadline)
            }
            return .passed
        } catch {
            let late = MonotonicClock.milliseconds() >= deadline
            return .failed(
                reason: late ? "it has not answered within \(probe.timeoutMilliseconds / 1_000) s" : error.reason,
                status: late ? nil : error.status)
        }
    }

    // MARK: HTTP

    private func ask(_ http: HTTPProbe, _ deadline: Int64) throws(Failure) {
        var target = ProbeTarget(isSecure: http.isSecure, port: probe.port, path: http.target)
        for _ in 0...Self.redirectsAtMost {
            // A header of the probe names the host of its own request only.
            let isFirst = target.port == probe.port && target.isSecure == http.isSecure
            let name = isFirst ? http.host ?? "\(host):\(target.port)" : "\(host):\(target.port)"
            let response = try response(
                to: http.request(target: target.path, host: name, userAgent: userAgent), target, deadline)
            guard (200...399).contains(response.status) else {
                throw Failure(reason: "it answered with status \(response.status)", status: response.status)
            }
            guard [301, 302, 303, 307, 308].contains(response.status), let location = response.location else { return }
            let asked = name.lastIndex(of: ":").map { String(name[..<$0]) } ?? name
            guard let next = target.following(location: location, host: asked) else { return }
            target = next
        }
        throw Failure(reason: "it redirected more than \(Self.redirectsAtMost) times")
    }

    private func response(
        to request: [UInt8], _ target: ProbeTarget, _ deadline: Int64
    ) throws(Failure) -> HTTPHead.Response {
        let socket = try connected(target.port, deadline)
        var head = HTTPHead()
        var outcome: Result<HTTPHead.Response, HTTPHead.Flaw>?
        func receive(_ bytes: [UInt8]) -> Bool {
            do throws(HTTPHead.Flaw) {
                if let response = try head.take(bytes) { outcome = .success(response) }
            } catch {
                outcome = .failure(error)
            }
            return outcome == nil
        }
        if target.isSecure {
            do throws(WebClientFault) {
                try WebClient.exchange(
                    socket.number, host: host, trust: .anyone, request: request,
                    remainingMilliseconds: { Self.remaining(until: deadline) }, receive: receive)
            } catch {
                if outcome == nil { throw Failure(reason: "\(error)") }
            }
        } else {
            var unsent = request
            try Self.exchange(
                socket.number, deadline,
                output: {
                    defer { unsent = [] }
                    return unsent
                }, receive: receive)
        }
        switch outcome {
        case .success(let response)?: return response
        case .failure(let flaw)?: throw Failure(reason: "\(flaw)")
        case nil: throw Failure(reason: "it gave no answer")
        }
    }

    // MARK: gRPC

    private func call(_ service: String, _ deadline: Int64) throws(Failure) {
        let socket = try connected(probe.port, deadline)
        let call: HealthCall
        do throws(WorkloadFault) {
            call = try HealthCall(service: service, authority: "\(host):\(probe.port)", userAgent: userAgent)
        } catch {
            throw Failure(reason: "out of memory")
        }
        try Self.exchange(socket.number, deadline, output: { call.takeOutput() }) {
            call.receive($0)
            return call.outcome == nil
        }
        if case .notServing(let reason) = call.outcome ?? .notServing(reason: "it gave no answer") {
            throw Failure(reason: reason)
        }
    }

    // MARK: Sockets

    /// Sends what is to be sent, and passes on what comes, nothing at the end of the stream, until that is enough.
    private static func exchange(
        _ number: Int32, _ deadline: Int64, output: () -> [UInt8], receive: ([UInt8]) -> Bool
    ) throws(Failure) {
        try send(output(), number, deadline)
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            guard OwnedDescriptor.wait(number, for: POLLIN, timeoutMilliseconds: remaining(until: deadline)) else {
                throw Failure(reason: "it does not answer")
            }
            // Writes at most the buffer's length.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count >= 0 else { throw Failure(reason: systemMessage(errno)) }
            guard receive(Array(buffer[..<count])), count > 0 else { return }
            let more = output()
            guard MonotonicClock.milliseconds() < deadline else { throw Failure(reason: "it does not answer") }
            if !more.isEmpty { try send(more, number, deadline) }
        }
    }

    private static func send(_ bytes: [UInt8], _ number: Int32, _ deadline: Int64) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // The slice outlives the call.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EAGAIN || errno == EINTR {
                guard OwnedDescriptor.wait(number, for: POLLOUT, timeoutMilliseconds: remaining(until: deadline)) else {
                    throw Failure(reason: "it does not read")
                }
                continue
            }
            guard count > 0 else { throw Failure(reason: systemMessage(errno)) }
            rest = rest.dropFirst(count)
        }
    }

    /// A non-blocking connection to a port of loopback, of whichever family has it, or else of the pod's addresses.
    private func connected(_ port: UInt16, _ deadline: Int64) throws(Failure) -> OwnedDescriptor {
        var reason = ""
        let others = addresses.map { SocketAddress(Endpoint(address: $0, port: port)) }
        for address in [SocketAddress(v4: 0x7F00_0001, port: port), SocketAddress(v6: 0, 1, port: port)] + others {
            let number = socket(address.family, postern_nonblocking_stream_socket, 0)
            guard number >= 0 else {
                if reason.isEmpty { reason = systemMessage(errno) }
                continue
            }
            let owned = OwnedDescriptor(number)
            var failure = 0 - address.connect(number)
            if failure == EINPROGRESS {
                guard OwnedDescriptor.wait(number, for: POLLOUT, timeoutMilliseconds: Self.remaining(until: deadline))
                else { throw Failure(reason: "it does not accept") }
                failure = Self.pendingError(of: number)
            }
            // Where nobody listens, and the port was chosen for this end too: TCP connects such a socket to itself.
            if failure == 0, SocketAddress(.local, of: number) == address { failure = ECONNREFUSED }
            if failure == 0 { return owned }
            if reason.isEmpty { reason = "port \(port): \(systemMessage(failure))" }
        }
        throw Failure(reason: reason)
    }

    private static func pendingError(of number: Int32) -> Int32 {
        var status: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        // The call writes one Int32, the size passed.
        return unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &status, &size) == 0 ? status : errno
    }

    private static func remaining(until deadline: Int64) -> Int32 {
        Int32(clamping: max(0, deadline - MonotonicClock.milliseconds()))
    }

    private static let redirectsAtMost = 10
}
