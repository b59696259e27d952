public import Glibc

extension SocketAddress {
    /// Resolves a host within a deadline; the system's resolver itself has none.
    public static func resolve(
        _ host: String, port: UInt16, withinMilliseconds patience: Int32
    ) throws(ResolverFault) -> [SocketAddress] {
        let result: Result<[SocketAddress], ResolverFault>?
        do throws(ThreadFault) {
            result = try answer(withinMilliseconds: patience) {
                Result { () throws(ResolverFault) in try resolve(host, port: port) }
            }
        } catch {
            throw ResolverFault(reason: systemMessage(error.errno))
        }
        guard let result else { throw ResolverFault(reason: "the resolver has not answered within \(patience) ms") }
        return try result.get()
    }

    /// Resolves a host name or a numeric address, in the resolver's order. May block for seconds.
    public static func resolve(_ host: String, port: UInt16) throws(ResolverFault) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        // One entry per address, not one per socket type.
        unsafe hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        // The C strings live for the call, which fills `list`; it is freed below, after its last use.
        let status = unsafe getaddrinfo(host, "\(port)", &hints, &list)
        guard status == 0 else { throw ResolverFault(reason: unsafe String(cString: gai_strerror(status))) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe SocketAddress(resolved: entry.pointee) { addresses.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return addresses
    }

    private init?(resolved entry: addrinfo) {
        unsafe self.init(copying: entry.ai_addr, count: Int(entry.ai_addrlen))
    }

    /// Reads an address that a resolver wrote, of `count` bytes; nil for another family than IP.
    public init?(copying address: UnsafePointer<sockaddr>?, count bytes: Int) {
        guard let address = unsafe address else { return nil }
        var storage = sockaddr_storage()
        let count = min(bytes, MemoryLayout<sockaddr_storage>.size)
        // The caller's address has `bytes` bytes, and the storage `count` at least.
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: count))
        }
        self.init(reading: storage, length: socklen_t(count))
    }
}

/// Why a name could not be resolved, in the resolver's words.
public struct ResolverFault: Error, Hashable, Sendable, CustomStringConvertible {
    let reason: String
    public var description: String { reason }
}
