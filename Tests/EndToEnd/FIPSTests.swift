import Foundation
import Loopback
import PosternTesting
import Testing

/// `tls.fips`. What needs OpenSSL's FIPS provider is shown on Debian 13, which has it: see scripts/test-debian13.
@Suite("FIPS")
struct FIPSTests {
    @Test("without a FIPS provider in OpenSSL's configuration the proxy does not start", arguments: ["run", "check"])
    func absent(command: String) throws {
        try onStage(.epoll) { stage in
            try expectRefusal(command, stage, FIPSModule.environment("/dev/null"), "FIPS provider cannot be loaded")
        }
    }

    @Test("a module that is not there, or not the one that was installed, is not used", arguments: [true, false])
    func broken(isThere: Bool) throws {
        try onStage(.epoll) { stage in
            let written = try stage.folder.write("[fips_sect]\nactivate = 1\nmodule = /nowhere.so\n", to: "gone.cnf")
            let gone = try stage.folder.write(FIPSModule.configuration(including: written, []), to: "none.cnf")
            var environment = FIPSModule.environment(gone)
            if isThere {
                let other = try FIPSModule(configuredIn: stage.folder) { text in
                    text.replacing(/(module-mac = ..)/) {
                        "\($0.output.1.dropLast())\($0.output.1.last == "0" ? "1" : "0")"
                    }
                }
                guard let other else { return }
                environment = other.environment
            }
            for command in ["run", "check"] {
                try expectRefusal(command, stage, environment, "FIPS provider cannot be loaded")
            }
        }
    }

    @Test("no other provider may be active beside it", arguments: ["run", "check"])
    func others(command: String) throws {
        try onStage(.epoll) { stage in
            guard let module = try FIPSModule(configuredIn: stage.folder, besides: ["default"]) else { return }
            try expectRefusal(command, stage, module.environment, "other providers than `fips` and `base`: default")
        }
    }

    @Test("groups that are not approved are missing ones")
    func groups() throws {
        try onStage(.epoll) { stage in
            guard let module = try FIPSModule(configuredIn: stage.folder) else { return }
            try expectRefusal(
                "check", stage, module.environment, "has none of these key exchange groups",
                extra: "fips: true, keyExchange: [X25519]")
        }
    }

    @Test("a pair talks with approved algorithms, and resumes sessions", arguments: EventLoopKind.allCases)
    func pair(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            guard let module = try FIPSModule(configuredIn: stage.folder) else { return }
            let application = try stage.application(.echo)
            let inbound = try stage.proxy(
                Self.settings([.inbound(to: application.address)]), environment: module.environment)
            var settings = Self.settings([.outbound(to: try inbound.address("in"))])
            settings.role = .client
            let outbound = try stage.proxy(settings, environment: module.environment)
            let event = try inbound.logEvent("starting")
            #expect((event["library"] as? String)?.contains("FIPS provider") == true)
            for isResumed in [false, true] {
                let client = try TCPConnection.connect(to: outbound.address("out"))
                let message = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 5) }
                let writer = BackgroundThread { try? client.send(message) }
                #expect(try client.receive(exactly: message.count) == message)
                writer.join()
                client.close()
                for line in [try inbound.accessLine(), try outbound.accessLine()] {
                    #expect(line.resumed == isResumed && line.reason == "finished")
                    #expect(line.keyExchange.map { ["X25519MLKEM768", "P-256"].contains($0) } == true)
                    #expect(line.cipher == "TLS_AES_128_GCM_SHA256")
                }
            }
        }
    }

    @Test(
        "openssl s_client is refused what is not approved, and nothing else", arguments: EventLoopKind.allCases,
        [
            (["-groups", "X25519"], "tls-group"), (["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], "tls-cipher"),
            (["-groups", "P-384", "-ciphersuites", "TLS_AES_256_GCM_SHA384"], nil), (["-tls1_2"], nil),
        ] as [([String], String?)])
    func client(loop: EventLoopKind, offer: (options: [String], code: String?)) throws {
        try onStage(loop) { stage in
            guard let module = try FIPSModule(configuredIn: stage.folder) else { return }
            var settings = try Self.settings([.inbound(to: stage.application(.echo).address)])
            settings.minimumVersion = "1.2"
            let proxy = try stage.proxy(settings, environment: module.environment)
            let client = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: offer.options + ["-no_ign_eof"])
            if let code = offer.code {
                #expect(client.alertAtEnd() == 40)
                #expect(try proxy.accessLine().code == code)
            } else {
                #expect(client.echoes("hello\n"))
                client.finish()
                #expect(try proxy.accessLine().reason == "finished")
            }
        }
    }

    private func expectRefusal(
        _ command: String, _ stage: Stage, _ environment: [String: String], _ message: String,
        extra: String = "fips: true"
    ) throws {
        var settings = Self.settings([.inbound(to: SocketAddress(port: 9))])
        settings.tlsExtra = extra
        let path = try stage.folder.write(settings.text(loop: .epoll), to: "fips.yaml")
        let run = try PosternBinary.run([command, "--config", path], in: stage.folder, environment: environment)
        #expect(run.exit == .code(2))
        #expect(run.errors.contains(message) && run.errors.contains("fips.yaml:"), "\(run.errors)")
        #expect(run.output == "")
    }

    private static func settings(_ listeners: [SettingsFile.Listener]) -> SettingsFile {
        var settings = SettingsFile(listeners: listeners)
        settings.tlsExtra = "fips: true"
        return settings
    }
}
