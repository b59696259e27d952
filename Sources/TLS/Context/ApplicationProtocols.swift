import COpenSSL

/// The application protocols (ALPN) of a context, in order of preference and in wire format.
final class ApplicationProtocols {
    let names: [String]
    /// Each name after a byte with its length (RFC 7301, section 3.1).
    let wire: [UInt8]

    init(_ names: [String]) throws(TLSFault) {
        var wire: [UInt8] = []
        for name in names {
            guard (1...255).contains(name.utf8.count) else { throw .unusableName(name) }
            wire.append(UInt8(name.utf8.count))
            wire.append(contentsOf: name.utf8)
        }
        guard wire.count <= 0xffff else { throw .unusableName(names.joined(separator: ",")) }
        self.names = names
        self.wire = wire
    }

    /// The range in `offered` of the first of our names that the client offers.
    func select(from offered: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        for name in names {
            var start = 0
            while start < offered.count {
                // Safe: `start` is in bounds, and `end` is checked before the bytes are read.
                let end = unsafe start + 1 + Int(offered[start])
                guard end <= offered.count else { return nil }
                if unsafe offered[(start + 1)..<end].elementsEqual(name.utf8) { return (start + 1)..<end }
                start = end
            }
        }
        return nil
    }
}

/// Selects from a client's list of protocols; `argument` is the context's `ApplicationProtocols`.
func selectApplicationProtocol(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe: the context that registered this callback owns the argument and outlives its sessions; OpenSSL passes
    // `offeredCount` readable bytes, which stay until it has copied the choice.
    let protocols = unsafe Unmanaged<ApplicationProtocols>.fromOpaque(argument!).takeUnretainedValue()
    let list = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    guard let range = unsafe protocols.select(from: list), let base = list.baseAddress else {
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    unsafe chosen?.pointee = base + range.lowerBound
    unsafe chosenCount?.pointee = UInt8(range.count)
    return SSL_TLSEXT_ERR_OK
}
