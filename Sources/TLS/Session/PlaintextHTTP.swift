/// Detects plaintext HTTP requests; OpenSSL recognises only the commonest methods.
enum PlaintextHTTP {
    /// Whether `bytes` begin as a request does.
    static func begins(_ bytes: RawSpan) -> Bool {
        methods.contains { method in
            guard bytes.byteCount >= method.utf8CodeUnitCount else { return false }
            // Safe: the offset is below the count that was just checked, and the text is static.
            return (0..<method.utf8CodeUnitCount).allSatisfy { index in
                unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == method.utf8Start[index]
            }
        }
    }

    private static let methods: [StaticString] = [
        "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "CONNECT ", "OPTIONS ", "TRACE ", "PATCH ", "PRI * HTTP/2",
    ]
}
