import CLibEvent
import Glibc
import Policy

/// A bound and listening TCP socket, non-blocking, closed with the value unless it was handed over.
final class AdminSocket {
    let number: Int32
    let port: UInt16
    private var isOurs = true

    init(address: IPAddress, port: UInt16) throws(ControlFault) {
        let isV6 = if case .v6 = address { true } else { false }
        let text = isV6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        let kind = postern_nonblocking_stream_socket
        let number = socket(isV6 ? AF_INET6 : AF_INET, kind, 0)
        guard number >= 0 else { throw .system(what: "cannot make a socket for \(text)", errno: errno) }
        let descriptor = OwnedDescriptor(number)
        guard let bound = Self.bind(descriptor.number, to: address, port: port) else {
            throw .system(what: "cannot listen on \(text)", errno: errno)
        }
        self.port = bound
        self.number = descriptor.release()
    }

    /// Leaves the closing to the one who took the number.
    func handOver() { isOurs = false }

    deinit { if isOurs { close(number) } }

    /// The bound port; nil with errno set.
    private static func bind(_ number: Int32, to address: IPAddress, port: UInt16) -> UInt16? {
        var yes: Int32 = 1
        // `yes` is as long as is said, and outlives the call.
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, size) == 0 else { return nil }
        guard SocketForm(address, port: port).bind(number) == 0, listen(number, 1_024) == 0 else { return nil }
        return SocketForm.localPort(of: number)
    }
}

/// An address and port in the kernel's form.
enum SocketForm {
    case v4(sockaddr_in)
    case v6(sockaddr_in6)

    init(_ address: IPAddress, port: UInt16) {
        switch address {
        case .v4(let bits):
            var form = sockaddr_in()
            form.sin_family = sa_family_t(AF_INET)
            form.sin_port = port.bigEndian
            form.sin_addr.s_addr = bits.bigEndian
            self = .v4(form)
        case .v6(let high, let low):
            var form = sockaddr_in6()
            form.sin6_family = sa_family_t(AF_INET6)
            form.sin6_port = port.bigEndian
            var halves = (high.bigEndian, low.bigEndian)
            // Both are 16 bytes of plain data.
            unsafe withUnsafeMutableBytes(of: &form.sin6_addr) { target in
                unsafe withUnsafeBytes(of: &halves) { unsafe target.copyMemory(from: $0) }
            }
            self = .v6(form)
        }
    }

    static func family(of address: IPAddress) -> Int32 {
        switch address {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    }

    func bind(_ number: Int32) -> Int32 {
        // The pointer is valid, and as long as is said, for the call.
        unsafe withPointer { address, length in unsafe Glibc.bind(number, address, length) }
    }

    func connect(_ number: Int32) -> Int32 {
        // The pointer is valid, and as long as is said, for the call.
        unsafe withPointer { address, length in unsafe Glibc.connect(number, address, length) }
    }

    static func localPort(of number: Int32) -> UInt16? {
        var form = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        // The kernel writes at most `length` bytes; the port stands at the same place in both families.
        let status = unsafe withUnsafeMutablePointer(to: &form) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(number, $0, &length) }
        }
        return status == 0 ? UInt16(bigEndian: form.sin6_port) : nil
    }

    private func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        switch self {
        case .v4(let form): unsafe Self.withPointer(to: form, body)
        case .v6(let form): unsafe Self.withPointer(to: form, body)
        }
    }

    private static func withPointer<Form>(to form: Form, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32
    {
        // The kernel reads as many bytes as the family, which stands first, says that there are.
        unsafe withUnsafePointer(to: form) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<Form>.size))
            }
        }
    }
}
