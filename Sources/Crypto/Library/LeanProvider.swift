package import COpenSSL

/// A provider with a subset of one of OpenSSL's providers, whose algorithms run in that provider's context.
///
/// Sendable by hand: the tables are written in `init` only. Like OpenSSL's own they are never freed.
@safe
package struct LeanProvider: @unchecked Sendable {
    /// OpenSSL's provider's own context.
    fileprivate let context: UnsafeMutableRawPointer
    fileprivate let functions: UnsafePointer<OSSL_DISPATCH>
    /// By the operation's number.
    fileprivate let algorithms: [UnsafePointer<OSSL_ALGORITHM>?]

    /// Of the module in use; nil if OpenSSL cannot load it.
    fileprivate static let shared: LeanProvider? =
        switch CryptoModule.inUse {
        case .standard: unsafe LeanProvider(of: "default", kept, query: queryLeanProvider)
        case .fips: unsafe LeanProvider(of: FIPSProvider.name, kept, query: queryLeanProvider)
        }

    /// What reads public keys, where the module in use leaves that to others; else nil.
    fileprivate static let codecs: LeanProvider? =
        switch CryptoModule.inUse {
        case .standard: nil
        case .fips: unsafe LeanProvider(of: FIPSProvider.codecs, keptCodecs, query: queryLeanCodecs)
        }

    static var hasCodecs: Bool { codecs != nil }

    /// What TLS 1.3 and 1.2 need with our suites, groups and signature algorithms and with the keys that an SVID may
    /// have: the first name of each algorithm.
    private static let kept: [Int32: Set<String>] = [
        OSSL_OP_DIGEST: ["SHA1", "SHA2-256", "SHA2-384", "SHA2-512"],
        OSSL_OP_CIPHER: ["AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"],
        OSSL_OP_MAC: ["HMAC"],
        OSSL_OP_KDF: ["HKDF", "TLS13-KDF", "TLS1-PRF"],
        OSSL_OP_RAND: ["CTR-DRBG", "SEED-SRC"],
        OSSL_OP_KEYMGMT: hybrids.union(["EC", "RSA", "RSA-PSS", "ED25519", "X25519", "HMAC"]),
        OSSL_OP_KEYEXCH: ["ECDH", "X25519"],
        // From OpenSSL 3.5 on. What they are made of is fetched by OpenSSL's provider in its own context.
        OSSL_OP_KEM: hybrids,
        OSSL_OP_SIGNATURE: ["ECDSA", "RSA", "ED25519", "HMAC"],
    ].merging(keptCodecs) { $1 }

    private static let keptCodecs: [Int32: Set<String>] = [OSSL_OP_DECODER: ["EC", "RSA", "RSA-PSS", "ED25519"]]

    private static let hybrids: Set = ["X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"]

    /// The module's functions for a cipher, and the context to call them with; nil if it has no cipher of this name.
    package static func cipher(
        named name: String
    ) -> (functions: UnsafePointer<OSSL_DISPATCH>, provider: UnsafeMutableRawPointer)? {
        guard let lean = shared, var cursor = unsafe lean.algorithms[Int(OSSL_OP_CIPHER)] else { return nil }
        // Safe: the table ends with an entry of zeros.
        while let all = unsafe cursor.pointee.algorithm_names {
            if unsafe Self.firstName(all) == name { return unsafe (cursor.pointee.implementation, lean.context) }
            unsafe cursor += 1
        }
        return nil
    }

    /// Nil if OpenSSL's provider of that name cannot be loaded.
    private init?(of name: String, _ kept: [Int32: Set<String>], query: @escaping Query) {
        // Safe, here and below: a loaded provider's tables are static, and end with an entry of zeros.
        guard let stock = unsafe OSSL_PROVIDER_load(nil, name),
            let context = unsafe OSSL_PROVIDER_get0_provider_ctx(stock),
            let functions = unsafe OSSL_PROVIDER_get0_dispatch(stock)
        else { return nil }
        unsafe self.context = unsafe context
        unsafe self.functions = unsafe Self.replacingQuery(in: functions, with: query)
        var algorithms = unsafe [UnsafePointer<OSSL_ALGORITHM>?](repeating: nil, count: Int(OSSL_OP__HIGHEST) + 1)
        for (operation, names) in kept {
            unsafe algorithms[Int(operation)] = Self.algorithms(of: stock, operation, named: names)
        }
        unsafe self.algorithms = algorithms
    }

    /// A provider's functions with our query function, and without the teardown of its context, which it owns.
    private static func replacingQuery(
        in stock: UnsafePointer<OSSL_DISPATCH>, with query: @escaping Query
    ) -> UnsafePointer<OSSL_DISPATCH> {
        var functions: [OSSL_DISPATCH] = []
        var cursor = unsafe stock
        while unsafe cursor.pointee.function_id != 0 {
            var entry = unsafe cursor.pointee
            unsafe cursor += 1
            if entry.function_id == OSSL_FUNC_PROVIDER_TEARDOWN { continue }
            if entry.function_id == OSSL_FUNC_PROVIDER_QUERY_OPERATION {
                // Safe: OpenSSL keeps all functions under one type, and calls each by the type that its number says.
                entry.function = unsafe unsafeBitCast(query, to: (@convention(c) () -> Void).self)
            }
            functions.append(entry)
        }
        return unsafe table(functions + [OSSL_DISPATCH()])
    }

    private static func algorithms(
        of stock: OpaquePointer, _ operation: Int32, named names: Set<String>
    ) -> UnsafePointer<OSSL_ALGORITHM> {
        var kept: [OSSL_ALGORITHM] = unsafe []
        var noCache: Int32 = 0
        var cursor = unsafe OSSL_PROVIDER_query_operation(stock, operation, &noCache)
        while let entry = unsafe cursor, let all = unsafe entry.pointee.algorithm_names {
            unsafe cursor = unsafe entry + 1
            guard names.contains(unsafe firstName(all)) else { continue }
            let properties = unsafe properties(of: entry.pointee)
            // A FIPS module has algorithms too that are not approved.
            if CryptoModule.inUse == .fips, !properties.contains("fips=yes") { continue }
            if operation == OSSL_OP_DECODER, !properties.contains("structure=SubjectPublicKeyInfo") { continue }
            unsafe kept.append(entry.pointee)
        }
        return unsafe table(kept + [OSSL_ALGORITHM()])
    }

    private static func firstName(_ names: UnsafePointer<CChar>) -> String {
        String(unsafe String(cString: names).prefix { $0 != ":" })
    }

    private static func properties(of algorithm: OSSL_ALGORITHM) -> [Substring] {
        guard let properties = unsafe algorithm.property_definition else { return [] }
        return unsafe String(cString: properties).split(separator: ",")
    }

    private static func table<Entry>(_ entries: [Entry]) -> UnsafePointer<Entry> {
        // Safe: the block has room for all of them, and is never freed.
        let block = UnsafeMutablePointer<Entry>.allocate(capacity: entries.count)
        unsafe block.initialize(from: entries, count: entries.count)
        return unsafe UnsafePointer(block)
    }
}

// MARK: OpenSSL's callbacks

private typealias Query =
    @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafeMutablePointer<Int32>?) -> UnsafePointer<OSSL_ALGORITHM>?

/// Returns 1, or 0 when there is no such provider.
func startLeanProvider(
    _ handle: OpaquePointer?, _ core: UnsafePointer<OSSL_DISPATCH>?,
    _ functions: UnsafeMutablePointer<UnsafePointer<OSSL_DISPATCH>?>?,
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
    unsafe start(LeanProvider.shared, functions, context)
}

/// As `startLeanProvider`, for what reads public keys.
func startLeanCodecs(
    _ handle: OpaquePointer?, _ core: UnsafePointer<OSSL_DISPATCH>?,
    _ functions: UnsafeMutablePointer<UnsafePointer<OSSL_DISPATCH>?>?,
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
    unsafe start(LeanProvider.codecs, functions, context)
}

private func start(
    _ lean: LeanProvider?, _ functions: UnsafeMutablePointer<UnsafePointer<OSSL_DISPATCH>?>?,
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
    // Safe: OpenSSL passes room for both answers.
    guard let lean else { return 0 }
    unsafe functions?.pointee = lean.functions
    unsafe context?.pointee = lean.context
    return 1
}

private func queryLeanProvider(
    _ context: UnsafeMutableRawPointer?, _ operation: Int32, _ noCache: UnsafeMutablePointer<Int32>?
) -> UnsafePointer<OSSL_ALGORITHM>? {
    unsafe query(LeanProvider.shared, operation, noCache)
}

private func queryLeanCodecs(
    _ context: UnsafeMutableRawPointer?, _ operation: Int32, _ noCache: UnsafeMutablePointer<Int32>?
) -> UnsafePointer<OSSL_ALGORITHM>? {
    unsafe query(LeanProvider.codecs, operation, noCache)
}

private func query(
    _ lean: LeanProvider?, _ operation: Int32, _ noCache: UnsafeMutablePointer<Int32>?
) -> UnsafePointer<OSSL_ALGORITHM>? {
    // Safe: OpenSSL passes room for the answer.
    unsafe noCache?.pointee = 0
    guard let lean, unsafe lean.algorithms.indices.contains(Int(operation)) else { return nil }
    return unsafe lean.algorithms[Int(operation)]
}
