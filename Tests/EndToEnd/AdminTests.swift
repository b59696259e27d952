import Loopback
import Testing

/// The admin endpoint, asked by curl.
@Suite("Admin")
struct AdminTests {
    @Test("/livez and /readyz answer 200 while the proxy serves", arguments: EventLoopKind.allCases)
    func healthy(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound(to: application.address)], admin: true))
            for path in ["livez", "readyz"] {
                let answer = try ask(proxy, path)
                #expect(answer.hasSuffix("200"), "\(path): \(answer)")
            }
            #expect(try ask(proxy, "nothing").hasSuffix("404"))
        }
    }

    @Test(
        "/readyz answers 503 with the reason while the proxy drains, and /livez 200", arguments: EventLoopKind.allCases)
    func draining(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound(to: application.address)], admin: true))
            let client = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            client.send("hello\n")
            #expect(client.receives("hello\n"))
            proxy.process.signal(15)
            #expect(eventually { (try? ask(proxy, "readyz").hasSuffix("503")) == true })
            #expect(try ask(proxy, "readyz").contains("drain"))
            #expect(try ask(proxy, "livez").hasSuffix("200"))
            client.finish()
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    /// The body and the status of an answer.
    private func ask(_ proxy: ProxyUnderTest, _ path: String) throws -> String {
        let curl = try ChildProcess([
            "curl", "-s", "-m", "5", "-w", " %{http_code}", "http://\(try proxy.adminAddress())/\(path)",
        ])
        _ = curl.awaitExit()
        return curl.standardOutput.text
    }
}
