import Glibc
import PosternTesting
import Synchronization
import System

/// A blocking TCP connection with deadlines; may be shared by one reading and one writing thread.
public final class TCPConnection: Sendable {
    private let descriptor: Atomic<Int32>

    /// Takes over a connected socket.
    init(adopting descriptor: Int32) {
        self.descriptor = Atomic(descriptor)
        Self.setOption(descriptor, IPPROTO_TCP, TCP_NODELAY, 1)
    }

    deinit {
        let open = descriptor.load(ordering: .relaxed)
        if open >= 0 { Glibc.close(open) }
    }

    /// Connects; `receiveBufferBytes` bounds what the kernel takes in on behalf of a slow reader.
    public static func connect(
        to address: SocketAddress, within limit: Duration = .seconds(5), receiveBufferBytes: Int32? = nil
    ) throws(SocketFault) -> TCPConnection {
        let connection = try beginConnecting(to: address, receiveBufferBytes: receiveBufferBytes)
        try wait(connection.number, for: Int16(POLLOUT), until: .within(limit), reason: "connect")
        let code = socketError(connection.number)
        guard code == 0 else { throw SocketFault(call: "connect", errno: code) }
        return connection
    }

    /// Starts to connect and returns at once; the connection becomes writable when established or failed.
    public static func beginConnecting(
        to address: SocketAddress, receiveBufferBytes: Int32? = nil
    ) throws(SocketFault) -> TCPConnection {
        let descriptor = Glibc.socket(
            address.system.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw SocketFault(call: "socket", errno: errno) }
        let connection = TCPConnection(adopting: descriptor)
        if let receiveBufferBytes { setOption(descriptor, Int(SOL_SOCKET), SO_RCVBUF, receiveBufferBytes) }
        let code = 0 - address.system.connect(descriptor)
        guard code == 0 || code == EINPROGRESS else { throw SocketFault(call: "connect", errno: code) }
        return connection
    }

    public var number: Int32 { descriptor.load(ordering: .relaxed) }

    public var localAddress: SocketAddress? { SocketAddress(boundTo: number) }

    /// Sends all of `bytes`, waiting for room until `limit`.
    public func send(_ bytes: some Collection<UInt8>, within limit: Duration = .seconds(10)) throws(SocketFault) {
        let bytes = Array(bytes)
        // The array outlives the call.
        unsafe try send(bytes.span.bytes, within: limit)
    }

    public func send(_ bytes: RawSpan, within limit: Duration = .seconds(10)) throws(SocketFault) {
        let deadline = Deadline.within(limit)
        var sent = 0
        while sent < bytes.byteCount {
            // The span outlives the call, and the kernel reads no further than `count`.
            let count = unsafe bytes.extracting(droppingFirst: sent).withUnsafeBytes { buffer in
                unsafe Glibc.send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try Self.wait(number, for: Int16(POLLOUT), until: deadline, reason: "room to send")
            } else if errno != EINTR {
                throw SocketFault(call: "send", errno: errno)
            }
        }
    }

    /// Receives some bytes, at most `maximum`; none at all means the peer has finished sending.
    public func receive(atMost maximum: Int = 65536, within limit: Duration = .seconds(10)) throws(SocketFault)
        -> [UInt8]
    {
        let deadline = Deadline.within(limit)
        while true {
            var code: Int32 = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: maximum) { buffer, count in
                // The kernel writes at most `buffer.count` bytes and says how many.
                let received = unsafe Glibc.recv(number, buffer.baseAddress, buffer.count, 0)
                if received < 0 { code = errno }
                count = max(0, received)
            }
            switch code {
            case 0: return bytes
            case EINTR: continue
            case EAGAIN: try Self.wait(number, for: Int16(POLLIN), until: deadline, reason: "bytes")
            default: throw SocketFault(call: "recv", errno: code)
            }
        }
    }

    /// Receives exactly `count` bytes.
    public func receive(exactly count: Int, within limit: Duration = .seconds(10)) throws(SocketFault) -> [UInt8] {
        let deadline = Deadline.within(limit)
        var bytes: [UInt8] = []
        while bytes.count < count {
            let left = Duration.milliseconds(deadline.remainingMilliseconds)
            let more = try receive(atMost: count - bytes.count, within: left)
            guard !more.isEmpty else { throw .endedEarly(receivedBytes: bytes.count, expectedBytes: count) }
            bytes += more
        }
        return bytes
    }

    /// Receives until the peer has finished sending.
    public func receiveToEnd(within limit: Duration = .seconds(10)) throws(SocketFault) -> [UInt8] {
        let deadline = Deadline.within(limit)
        var bytes: [UInt8] = []
        while true {
            let more = try receive(within: .milliseconds(deadline.remainingMilliseconds))
            if more.isEmpty { return bytes }
            bytes += more
        }
    }

    /// How the connection ended, seen from here; what arrives before the end is dropped.
    public func awaitEnd(within limit: Duration = .seconds(10)) -> ConnectionEnd {
        do throws(SocketFault) {
            _ = try receiveToEnd(within: limit)
            return .finished
        } catch .reset {
            return .reset
        } catch {
            return .stillOpen
        }
    }

    /// Sends FIN; receiving goes on.
    public func finishSending() { _ = Glibc.shutdown(number, Int32(SHUT_WR)) }

    /// Ends both directions and wakes a thread that waits on this connection.
    public func shutDown() { _ = Glibc.shutdown(number, Int32(SHUT_RDWR)) }

    /// Closes with FIN (or RST if unread bytes are left). No other thread may use the connection any more.
    public func close() {
        let open = descriptor.exchange(-1, ordering: .relaxed)
        if open >= 0 { Glibc.close(open) }
    }

    /// Sends RST and ends the connection.
    public func reset() {
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        // Connecting to no address dissolves the connection (tcp(7)), and leaves the descriptor to its owner.
        _ = unsafe Glibc.connect(number, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Waits, without reading, until the connection is broken or both directions have ended.
    public func awaitHangUp(within limit: Duration) -> Bool {
        do throws(SocketFault) {
            try Self.wait(number, for: 0, until: .within(limit), reason: "the end")
            return true
        } catch {
            return false
        }
    }
}

/// How a connection's peer ended it.
public enum ConnectionEnd: Hashable, Sendable { case finished, reset, stillOpen }

extension TCPConnection {
    static func setOption(_ descriptor: Int32, _ level: Int, _ name: Int32, _ value: Int32) {
        var value = value
        // An int option: pointer and length describe `value`.
        _ = unsafe setsockopt(descriptor, Int32(level), name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    static func setNonblocking(_ descriptor: Int32, _ nonblocking: Bool) {
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)
    }

    static func socketError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        // Pointer and length describe `code`.
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        return code
    }

    /// Blocks until the descriptor is ready, has failed, or the deadline has passed.
    static func wait(
        _ descriptor: Int32, for events: Int16, until deadline: Deadline, reason: String
    ) throws(SocketFault) {
        while true {
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            // One entry, and the count says one.
            let ready = unsafe poll(&entry, 1, deadline.remainingMilliseconds)
            if ready > 0 { return }
            if ready == 0 { throw .timedOut(waitingFor: reason) }
            guard errno == EINTR else { throw SocketFault(call: "poll", errno: errno) }
        }
    }
}
