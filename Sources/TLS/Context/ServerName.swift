import COpenSSL
import Glibc
import Crypto

/// The host name of server name indication (SNI; RFC 6066, section 3): one parser that TLS, policy, log and `explain`
/// share.
public enum ServerName {
    /// The name in lower case and without a final dot; nil if the bytes are not a DNS name, such as an IP address.
    public static func parse(_ text: some BidirectionalCollection<UInt8>) -> String? {
        let bytes = text.last == UInt8(ascii: ".") ? text.dropLast() : text[...]
        guard (1...253).contains(bytes.count) else { return nil }
        var name: [UInt8] = []
        name.reserveCapacity(bytes.count)
        var labelBytes = 0
        var labelIsNumber = true
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "."):
                guard labelBytes > 0 else { return nil }
                labelBytes = 0
                labelIsNumber = true
                name.append(byte)
                continue
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): name.append(byte | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                name.append(byte)
            default: return nil
            }
            labelBytes += 1
            if !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { labelIsNumber = false }
            guard labelBytes <= 63 else { return nil }
        }
        // No top-level domain is a number: a name that ends in one is an IPv4 address or invalid.
        return labelBytes > 0 && !labelIsNumber ? String(decoding: name, as: UTF8.self) : nil
    }

    /// An invalid name, for a log: printable ASCII as it is, the rest as `\xNN`.
    static func escaped(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes.prefix(256) {
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "\\") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "\\x" + Hex.text([byte])
            }
        }
        return text
    }
}

/// Refuses a client whose server name list OpenSSL would refuse without a reason: a name that is too long or contains
/// NUL (RFC 6066, section 3).
func refuseMalformedServerName(
    _ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    var list: UnsafePointer<UInt8>?
    var count = 0
    // Safe: the list belongs to the ClientHello, which lives for the length of the call; indices are below its count.
    guard let ssl = unsafe ssl,
        unsafe SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_server_name), &list, &count) == 1,
        let bytes = unsafe list.map({ unsafe UnsafeBufferPointer(start: $0, count: count) }), bytes.count >= 5
    else { return SSL_CLIENT_HELLO_SUCCESS }
    let nameBytes = unsafe Int(bytes[3]) << 8 | Int(bytes[4])
    let name = unsafe bytes[5...].prefix(nameBytes)
    guard unsafe bytes[2] == TLSEXT_NAMETYPE_host_name, unsafe name.count == nameBytes,
        unsafe nameBytes > TLSEXT_MAXLEN_host_name || name.contains(0)
    else { return SSL_CLIENT_HELLO_SUCCESS }
    unsafe RecordBIO.window(of: ssl).pointee.findings.invalidServerName = unsafe ServerName.escaped(Array(name))
    unsafe alert?.pointee = Int32(TLSAlert.unrecognizedName)
    return SSL_CLIENT_HELLO_ERROR
}

/// Refuses a client with an invalid server name, before any rule could read that name another way.
func refuseInvalidServerName(
    _ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe: OpenSSL passes its own objects; the name is copied at once.
    guard let ssl = unsafe ssl, let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
        return SSL_TLSEXT_ERR_NOACK
    }
    let text = unsafe String(cString: name)
    guard ServerName.parse(text.utf8) == nil else { return SSL_TLSEXT_ERR_NOACK }
    let bytes = unsafe UnsafeBufferPointer(start: name, count: strlen(name))
    unsafe RecordBIO.window(of: ssl).pointee.findings.invalidServerName =
        unsafe ServerName.escaped(bytes.map { UInt8(bitPattern: $0) })
    unsafe alert?.pointee = Int32(TLSAlert.unrecognizedName)
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
