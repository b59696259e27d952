import Foundation
import Loopback
import PosternTesting
import Testing

/// `tls.fips`. Where OpenSSL's FIPS provider is installed, these tests configure it as an administrator would; where it
/// is not, the proxy must refuse to start. POSTERN_EXPECT_FIPS says that it is installed, so that a test cannot pass for
/// want of it.
@Suite("FIPS")
struct FIPSTests {
    @Test(
        "without a FIPS provider that OpenSSL's configuration names, the proxy does not start",
        arguments: ["run", "check"])
    func absent(command: String) throws {
        try onStage(.epoll) { stage in
            let path = try stage.folder.write(settings(to: SocketAddress(port: 9)).text(loop: .epoll), to: "fips.yaml")
            let run = try PosternBinary.run([command, "--config", path], in: stage.folder)
            #expect(run.exit == .code(2))
            let message = "OpenSSL's FIPS provider cannot be loaded"
            #expect(run.errors.contains(message) && run.errors.contains("fips.yaml:"), "\(run.errors)")
            #expect(run.output == "")
        }
    }

    private func settings(to address: SocketAddress) -> SettingsFile {
        var settings = SettingsFile(listeners: [.inbound(to: address)])
        settings.tlsExtra = "fips: true"
        return settings
    }
}
