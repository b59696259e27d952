import CLibEvent
import DataPlane
import Glibc
import Settings
import System

/// A non-blocking stream socket to a Workload API; closed by `deinit`.
struct WorkloadSocket: ~Copyable {
    let descriptor: OwnedDescriptor

    /// Connects. A Unix socket succeeds or fails at once; TCP has one second.
    ///
    /// - Parameter mark: of a TCP socket; 0 for none.
    init(to address: WorkloadAddress, mark: UInt32) throws(ControlFault) {
        let kind = postern_nonblocking_stream_socket
        let number = socket(address.family, kind, 0)
        guard number >= 0 else { throw .system(what: "cannot make a socket", errno: errno) }
        let owned = OwnedDescriptor(number)
        if mark != 0, case .tcp = address {
            let marked = setMark(mark, of: number)
            guard marked == 0 else { throw .system(what: "cannot mark a socket", errno: 0 - marked) }
        }
        let failure = Self.connected(number, address)
        guard failure == 0 else { throw .system(what: "cannot connect to \(address)", errno: failure) }
        descriptor = owned
    }

    /// Zero, or the errno of the failed connect.
    private static func connected(_ number: Int32, _ address: WorkloadAddress) -> Int32 {
        let failure = connect(number, address)
        guard failure == EINPROGRESS else { return failure }
        guard OwnedDescriptor.wait(number, for: POLLOUT, timeoutMilliseconds: 1_000) else { return ETIMEDOUT }
        var outcome: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        // The call writes one Int32, the size passed.
        guard unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &outcome, &size) == 0 else { return errno }
        return outcome
    }

    /// Receives at most 64 KiB: nil if nothing is pending, empty at end of stream or after an error.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        // Writes at most the buffer's length.
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor.number, $0.baseAddress, $0.count, 0) }
        if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : [] }
        return Array(buffer[..<count])
    }

    /// Sends everything; false if the server does not take it: our messages are short, so a full socket buffer means a
    /// stalled server.
    func send(_ bytes: [UInt8]) -> Bool {
        // The array outlives the call.
        unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) == $0.count
        }
    }

    /// Zero, or an errno: EINPROGRESS while connecting.
    private static func connect(_ number: Int32, _ address: WorkloadAddress) -> Int32 {
        switch address {
        case .tcp(let endpoint): return 0 - SocketAddress(endpoint).connect(number)
        case .unix(let path):
            var form = sockaddr_un()
            form.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(path.utf8)
            // The path was checked to fit with its terminator, and the structure is zeroed.
            unsafe withUnsafeMutableBytes(of: &form.sun_path) { unsafe $0.copyBytes(from: bytes) }
            return unsafe withUnsafePointer(to: form) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 ? 0 : errno
                }
            }
        }
    }
}

extension WorkloadAddress {
    fileprivate var family: Int32 {
        switch self {
        case .unix: AF_UNIX
        case .tcp(let endpoint): SocketAddress(endpoint).family
        }
    }
}
