import COpenSSL
import Synchronization

/// The module of OpenSSL that all cryptography of this process comes from, decided once and for all.
public enum CryptoModule: Hashable, Sendable {
    /// OpenSSL's default provider.
    case standard
    /// OpenSSL's FIPS provider, and its approved algorithms only.
    case fips

    /// Decides for a module, or throws and leaves it undecided if OpenSSL cannot provide that. Whatever needs an
    /// algorithm decides for the standard one.
    ///
    /// Afterwards it throws for another module than the one decided for.
    public static func choose(_ module: CryptoModule) throws(CryptoFault) {
        let fault = decision.withLock { decided -> CryptoFault? in
            if let decided { return decided == module ? nil : .moduleIsDecided }
            if module == .fips, let fault = FIPSProvider.load() { return fault }
            decided = module
            return nil
        }
        if let fault { throw fault }
    }

    /// Such as `FIPS provider 3.5.1`; nil for the standard module, which has no version of its own.
    public static var version: String? {
        guard decision.withLock({ $0 }) == .fips else { return nil }
        return "FIPS provider \(FIPSProvider.version ?? "of an unknown version")"
    }

    /// The module decided for.
    package static var inUse: CryptoModule {
        decision.withLock { decided in
            let module = decided ?? .standard
            decided = module
            return module
        }
    }

    private static let decision = Mutex<CryptoModule?>(nil)
}

/// OpenSSL's FIPS provider in OpenSSL's default library context, for keys, digests and web servers. `LeanProvider`
/// takes the algorithms of handshakes and records from there.
enum FIPSProvider {
    static let name = "fips"
    /// Reads and writes keys, and has no cryptography.
    static let codecs = "base"

    /// Loads it and nothing beside it, or says why not. Loading runs the module's self-tests; OpenSSL's configuration
    /// must have what `openssl fipsinstall` wrote of the module.
    fileprivate static func load() -> CryptoFault? {
        ErrorQueue.clear()
        defer { ErrorQueue.clear() }
        // Safe, in all of this function: names are static, and the library context is the default one.
        guard unsafe OSSL_PROVIDER_load(nil, name) != nil else { return .noFIPSProvider }
        guard unsafe OSSL_PROVIDER_load(nil, codecs) != nil else { return ErrorQueue.fault("OSSL_PROVIDER_load") }
        let others = loadedProviders.filter { $0 != name && $0 != codecs }
        guard others.isEmpty else { return .otherProviders(others) }
        guard EVP_default_properties_enable_fips(nil, 1) == 1 else {
            return ErrorQueue.fault("EVP_default_properties_enable_fips")
        }
        return nil
    }

    static var version: String? {
        // Safe: the provider is loaded, and never unloaded; its version is copied at once.
        guard let provider = unsafe OSSL_PROVIDER_load(nil, name),
            let version = unsafe postern_provider_version(provider)
        else { return nil }
        return unsafe String(cString: version)
    }

    private static var loadedProviders: [String] {
        var names: [String] = []
        unsafe withUnsafeMutablePointer(to: &names) { list in
            // Safe: the callback gets the list back and is not called after this.
            unsafe _ = OSSL_PROVIDER_do_all(
                nil,
                { provider, list in
                    guard let name = unsafe OSSL_PROVIDER_get0_name(provider) else { return 1 }
                    unsafe list!.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
                    return 1
                }, list)
        }
        return names
    }
}
