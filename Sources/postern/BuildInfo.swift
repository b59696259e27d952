import CBuildInfo
import EventLoop
import TLS

/// The versions in this binary, for bug reports and for checks for vulnerable libraries.
enum BuildInfo {
    /// Several lines, the first one `postern VERSION (commit ...)`.
    static var text: String {
        """
        postern \(Postern.version) (\(commit), \(configuration), \(architecture))
        \(TLSLibrary.version), liburing \(IOURingVersion.text), Swift \(compiler)
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
