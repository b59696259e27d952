import Glibc
import Loopback
import PosternTesting
import Testing

/// Starting, well and badly.
@Suite("Start")
struct StartTests {
    @Test("a port in use is reported, and the exit code is 2", arguments: EventLoopKind.allCases)
    func portInUse(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let taken = try TCPListener()
            let application = try stage.application(.echo)
            let settings = SettingsFile(listeners: [.inbound(to: application.address, bind: "\(taken.address)")])
            let path = try stage.folder.write(settings.text(loop: loop), to: "taken.yaml")
            let run = try PosternBinary.run(["run", "--config", path], in: stage.folder)
            #expect(run.exit == .code(2))
            #expect(run.errors.contains("\(taken.address)"))
            #expect(run.errors.contains("in use"))
        }
    }

    @Test(
        "each missing file is named with its place in the settings, and the exit code is 2",
        arguments: EventLoopKind.allCases)
    func missingFiles(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let settings = SettingsFile(listeners: [.inbound(to: SocketAddress(port: 9))]).text(loop: loop)
                .replacing("server.pem", with: "gone.pem").replacing("partner-bundle.pem", with: "lost.pem")
            let path = try stage.folder.write(settings, to: "missing.yaml")
            for command in ["run", "check"] {
                let run = try PosternBinary.run([command, "--config", path], in: stage.folder)
                #expect(run.exit == .code(2))
                #expect(run.errors.contains("missing.yaml:3:"), "\(run.errors)")
                #expect(run.errors.contains("gone.pem"))
                #expect(run.errors.contains("missing.yaml:7:"))
                #expect(run.errors.contains("lost.pem"))
            }
            let nowhere = try PosternBinary.run(["run", "--config", "/nowhere.yaml"], in: stage.folder)
            #expect(nowhere.exit == .code(2))
            #expect(nowhere.errors.contains("/nowhere.yaml"))
        }
    }

    @Test("the log says which event loop runs and why", arguments: EventLoopKind.allCases)
    func eventLoopIsNamed(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let proxy = try stage.inbound(to: stage.application(.echo))
            let event = try proxy.logEvent("worker serves")
            #expect(event["eventLoop"] as? String == loop.rawValue)
            #expect((event["because"] as? String)?.isEmpty == false)
        }
    }

    @Test(
        "its start costs 150 ms of processor time at most, without any optimization", arguments: EventLoopKind.allCases)
    func startTime(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            // Other tests keep the machine busy, so that a clock on the wall would say little of the start.
            let times = try (0..<5).map { _ in
                let application = try stage.application(.echo)
                let proxy = try stage.proxy(
                    SettingsFile(listeners: [
                        .inbound(to: application.address), .outbound(to: application.address),
                    ]))
                let time = proxy.figures.cpuNanoseconds
                proxy.expectCleanExit()
                return time
            }
            #expect(try #require(times.min()) < 150_000_000, "\(times)")
        }
    }

    @Test("at rest it holds at most 16 MB, of which 4 MB are its own", arguments: EventLoopKind.allCases)
    func memoryAtRest(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(
                    listeners: [.inbound(to: application.address), .outbound(to: application.address)], admin: true))
            // What only the start needed is given back a moment after it is ready.
            #expect(eventually { proxy.figures.memoryKiB.resident <= 16 << 10 }, "\(proxy.figures.memoryKiB)")
            #expect(proxy.figures.memoryKiB.anonymous <= 4 << 10)
            #expect(proxy.figures.memoryKiB.resident > 0)
        }
    }
}
