import Foundation
import Loopback
import PosternTesting
import Testing

/// OpenSSL's FIPS provider, configured for one folder as an administrator would for a machine.
struct FIPSModule {
    /// For processes that are to use it.
    let environment: [String: String]

    /// Nil where OpenSSL has no such provider, which must not be so if POSTERN_EXPECT_FIPS is set.
    ///
    /// - Parameters:
    ///   - others: further providers that the configuration activates.
    ///   - change: turns what `openssl fipsinstall` wrote into what a test wants.
    init?(
        configuredIn folder: TemporaryFolder, besides others: [String] = [], change: (String) -> String = { $0 }
    ) throws {
        let module = try Self.run(["version", "-m"]).split(separator: "\"")[1] + "/fips.so"
        guard FileManager.default.fileExists(atPath: String(module)) else {
            try #require(ProcessInfo.processInfo.environment["POSTERN_EXPECT_FIPS"] == nil)
            return nil
        }
        let written = folder.file("fipsmodule.cnf")
        _ = try Self.run(["fipsinstall", "-module", String(module), "-out", written])
        try folder.write(change(String(contentsOfFile: written, encoding: .utf8)), to: "fipsmodule.cnf")
        environment = Self.environment(try folder.write(Self.configuration(including: written, others), to: "fips.cnf"))
    }

    /// An environment in which OpenSSL has the configuration in `file`.
    static func environment(_ file: String) -> [String: String] { ["OPENSSL_CONF": file] }

    static func configuration(including file: String, _ others: [String]) -> String {
        """
        openssl_conf = init
        .include \(file)
        [init]
        providers = providers
        [providers]
        fips = fips_sect
        \((["base"] + others).map { "\($0) = active" }.joined(separator: "\n"))
        [active]
        activate = 1

        """
    }

    private static func run(_ arguments: [String]) throws -> String {
        let process = try ChildProcess(["openssl"] + arguments)
        guard process.awaitExit() == .code(0) else {
            throw HarnessFault.peerNotReady("openssl \(arguments[0])", log: process.standardError.text)
        }
        return process.standardOutput.text
    }
}
