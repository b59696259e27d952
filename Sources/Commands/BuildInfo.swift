import CBuildInfo
import TLS

/// The versions in this binary, for bug reports and for checks for vulnerable libraries.
package enum BuildInfo {
    /// The version of all programs of this package.
    package static let version = "0.1.0"

    /// Several lines, the first one `NAME VERSION (commit ...)`.
    ///
    /// - Parameter libraries: beside OpenSSL.
    package static func text(of name: String, libraries: [String] = []) -> String {
        """
        \(name) \(version) (\(commit), \(configuration), \(architecture))
        \(([TLSLibrary.version] + libraries).joined(separator: ", ")), Swift \(compiler)
        key exchange: \(TLSLibrary.keyExchange)
        """
    }

    private static var commit: String {
        // A static C string.
        let commit = unsafe String(cString: postern_commit())
        guard !commit.isEmpty else { return "unknown commit" }
        return "commit \(commit)"
    }

    private static var configuration: String {
        #if DEBUG
            "debug build"
        #else
            "release build"
        #endif
    }

    private static var architecture: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "aarch64"
        #else
            "unknown architecture"
        #endif
    }

    private static var compiler: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
