import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// The worked examples of the documentation, as they are written but for their paths, ports, name and user.
@Suite("The worked examples")
struct WorkedExampleTests {
    @Test(
        "a laptop reaches, through load balancer and gateway, an application that is told who calls",
        arguments: EventLoopKind.allCases)
    func laptop(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let blocks = try DocumentedBlock.all(of: "Examples")
            try #require(blocks.map(\.language) == ["haproxy", "yaml", "yaml"])
            let (front, gateway) = (try TCPListener.freePort(), try TCPListener.freePort())
            let (application, caller) = (stage.folder.file("http.sock"), stage.folder.file("orders.sock"))
            func adapted(_ text: String) -> String {
                text.replacing("0.0.0.0:8443", with: "127.0.0.1:\(front)").replacing(":8444", with: ":\(gateway)")
                    .replacing("gateway.example.org:8443", with: "localhost:\(front)")
                    .replacing("/run/orders/http.sock", with: application)
                    .replacing("/run/user/1000/orders.sock", with: caller)
                    .replacing("users: [1000]", with: "users: [\(getuid())]")
            }
            let defaults = """
                defaults
                    timeout connect 5s
                    timeout client 60s
                    timeout server 60s

                """
            let server = """
                frontend application
                    mode http
                    bind unix@\(application) accept-proxy
                    http-request return status 200 content-type text/plain lf-string "%[fc_pp_unique_id] %ci"

                """
            let path = try stage.folder.write(
                defaults + adapted(blocks[0].text) + "\n" + server, to: "haproxy.cfg")
            let balancer = stage.keep(try ChildProcess(["haproxy", "-db", "-f", path]))
            #expect(
                eventually { FileManager.default.fileExists(atPath: application) }, "\(balancer.standardError.text)")
            let extra = "eventLoop: \(loop.rawValue)\nworkers: 1\n"
            let proxies = try blocks.dropFirst().enumerated().map { index, block in
                let settings = try stage.folder.write(extra + adapted(block.text), to: "example-\(index).yaml")
                let check = try PosternBinary.run(["check", "--config", settings], in: stage.folder)
                #expect(check.exit == .code(0), "\(check.output)\(check.errors)")
                let process = try ChildProcess([try PosternBinary.path(), "run", "--config", settings])
                let isReady = process.standardError.awaitLine { $0.contains("\"ready\"") ? true : nil }
                try #require(isReady == true, "\(process.standardError.text)")
                return process
            }
            defer { for process in proxies { process.stop() } }
            let curl = try ChildProcess(["curl", "--silent", "--max-time", "10", "--unix-socket", caller, "http://o/"])
            #expect(curl.awaitExit() == .code(0))
            let told = curl.standardOutput.text.split(separator: " ").map(String.init)
            try #require(told.count == 2 && told[0].utf8.count == 16 && told[1] == "127.0.0.1", "\(told)")
            let line = proxies[0].standardOutput.awaitLine { $0.contains("\"connection\":\"\(told[0])\"") ? $0 : nil }
            #expect(line?.contains("\"rule\":\"office\"") == true && line?.contains("\"balancer\"") == true, "\(told)")
        }
    }
}
