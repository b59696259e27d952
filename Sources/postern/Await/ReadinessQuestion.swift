import ApplicationHealth
import Control
import Glibc
import System

/// Asks an admin endpoint once whether its proxy is ready. Blocks.
struct ReadinessQuestion {
    let address: SocketAddress
    /// For everything.
    let milliseconds: Int64

    private struct Failure: Error {
        let reason: String
    }

    func answer() -> Readiness {
        do throws(Failure) {
            let deadline = MonotonicClock.milliseconds() + milliseconds
            return try exchange(deadline)
        } catch {
            return .notReady(reason: error.reason)
        }
    }

    /// A status of 200 is enough; of another one the first line of the body is the reason.
    private func exchange(_ deadline: Int64) throws(Failure) -> Readiness {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = OwnedDescriptor(socket(address.family, flags, 0))
        guard descriptor.number >= 0 else { throw Failure(reason: systemMessage(errno)) }
        let result = 0 - address.connect(descriptor.number)
        if result == EINPROGRESS { try wait(descriptor.number, POLLOUT, deadline) }
        let failure = result == EINPROGRESS ? Self.pendingError(of: descriptor.number) : result
        guard failure == 0 else {
            throw Failure(reason: "the admin endpoint cannot be reached: \(systemMessage(failure))")
        }
        let request = Array("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        // The array outlives the call. So short a request always fits.
        let sent = unsafe request.withUnsafeBytes {
            unsafe send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == request.count else { throw Failure(reason: "the admin endpoint does not read") }
        var all: [UInt8] = []
        var head = HTTPHead()
        var response: HTTPHead.Response?
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while all.count <= Self.bytesAtMost {
            do throws(Failure) {
                try wait(descriptor.number, POLLIN, deadline)
            } catch {
                guard let response else { throw error }
                return Self.refusal(response, all)
            }
            // Writes at most the buffer's length.
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe recv(descriptor.number, $0.baseAddress, $0.count, 0)
            }
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            let received = buffer[..<max(0, count)]
            all += received
            if response == nil {
                do throws(HTTPHead.Flaw) {
                    response = try head.take(received)
                } catch {
                    throw Failure(reason: "it does not answer with HTTP")
                }
            }
            guard let response else { continue }
            if response.status == 200 { return .ready }
            if count <= 0 || Self.line(ofBodyIn: all) != nil { return Self.refusal(response, all) }
        }
        throw Failure(reason: "its answer is too long")
    }

    private static func refusal(_ response: HTTPHead.Response, _ bytes: [UInt8]) -> Readiness {
        let line = line(ofBodyIn: bytes) ?? "status \(response.status)"
        return .notReady(reason: line.hasPrefix("not ready: ") ? String(line.dropFirst(11)) : line)
    }

    /// The first line of the body, if it has come whole.
    private static func line(ofBodyIn bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let body = text.firstRange(of: "\r\n\r\n").map({ text[$0.upperBound...] }),
            let end = body.firstIndex(of: "\n")
        else { return nil }
        return String(body[..<end])
    }

    private func wait(_ number: Int32, _ events: Int32, _ deadline: Int64) throws(Failure) {
        let left = Int32(clamping: max(0, deadline - MonotonicClock.milliseconds()))
        guard OwnedDescriptor.wait(number, for: events, timeoutMilliseconds: left) else {
            throw Failure(reason: "the admin endpoint does not answer")
        }
    }

    private static func pendingError(of number: Int32) -> Int32 {
        var status: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        // The call writes one Int32, the size passed.
        return unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &status, &size) == 0 ? status : errno
    }

    private static let bytesAtMost = 64 * 1_024
}
