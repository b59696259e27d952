import Glibc
import PosternTesting

/// Why an operation on a loopback socket did not do what was asked.
public enum SocketFault: Error, Hashable, Sendable, CustomStringConvertible {
    case refused
    case reset
    case timedOut(waitingFor: String)
    case endedEarly(receivedBytes: Int, expectedBytes: Int)
    case failed(call: String, errno: Int32)

    init(call: String, errno code: Int32) {
        switch code {
        case ECONNREFUSED: self = .refused
        case ECONNRESET, EPIPE: self = .reset
        default: self = .failed(call: call, errno: code)
        }
    }

    public var description: String {
        switch self {
        case .refused: "connection refused"
        case .reset: "connection reset"
        case .timedOut(let what): "timed out waiting for \(what)"
        case .endedEarly(let received, let expected): "ended after \(received) of \(expected) bytes"
        case .failed(let call, let code): "\(call): errno \(code)"
        }
    }
}
