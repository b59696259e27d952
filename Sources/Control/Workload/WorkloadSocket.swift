import CLibEvent
import DataPlane
import Glibc
import Settings
import System

/// A stream socket to a Workload API, non-blocking; it closes with its owner.
struct WorkloadSocket: ~Copyable {
    let descriptor: OwnedDescriptor

    /// Connects. A socket in the file system answers at once or not at all; TCP has a second.
    init(to address: WorkloadAddress) throws(ControlFault) {
        let kind = postern_nonblocking_stream_socket
        let number = socket(address.family, kind, 0)
        guard number >= 0 else { throw .system(what: "cannot make a socket", errno: errno) }
        let owned = OwnedDescriptor(number)
        let failure = Self.connected(number, address)
        guard failure == 0 else { throw .system(what: "cannot connect to \(address)", errno: failure) }
        descriptor = owned
    }

    /// Zero, or why the socket cannot be connected.
    private static func connected(_ number: Int32, _ address: WorkloadAddress) -> Int32 {
        let failure = connect(number, address)
        guard failure == EINPROGRESS else { return failure }
        guard OwnedDescriptor.wait(number, for: POLLOUT, timeoutMilliseconds: 1_000) else { return ETIMEDOUT }
        var outcome: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        // The call writes one Int32, as is said.
        guard unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &outcome, &size) == 0 else { return errno }
        return outcome
    }

    /// What has come, at most 64 KiB: nil where nothing has, empty at the end of the stream or after an error.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        // At most as many bytes as the buffer has are written.
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor.number, $0.baseAddress, $0.count, 0) }
        if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : [] }
        return Array(buffer[..<count])
    }

    /// Sends all of it; false where the server does not take it: what we say is short.
    func send(_ bytes: [UInt8]) -> Bool {
        // The array outlives the call.
        unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) == $0.count
        }
    }

    /// Zero, or an errno: EINPROGRESS where the answer takes its time.
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
