import Loopback
import PosternTesting
import Testing

/// Owns everything that one test starts, and ends it: nothing outlives the test, whatever becomes of it.
final class Stage {
    let loop: EventLoopKind
    let folder: TemporaryFolder
    private(set) var proxies: [ProxyUnderTest] = []
    private var props: [AnyObject] = []

    fileprivate init(_ loop: EventLoopKind) throws {
        self.loop = loop
        folder = try TemporaryFolder("e2e")
        try TestIdentities.shared.write(to: folder)
    }

    /// Starts the real binary and waits until it is ready.
    func proxy(
        _ settings: SettingsFile, openFileLimit: Int? = nil, environment: [String: String] = [:],
        options: [String] = []
    ) throws -> ProxyUnderTest {
        let proxy = try start(settings, openFileLimit: openFileLimit, environment: environment, options: options)
        try proxy.awaitReady()
        return proxy
    }

    /// Starts the real binary with a whole settings file, in another place, and waits until it is ready.
    func proxy(text: String, in prefix: [String]) throws -> ProxyUnderTest {
        let proxy = try ProxyUnderTest(text: text, loop: loop, in: folder, number: proxies.count, prefix: prefix)
        proxies.append(proxy)
        try proxy.awaitReady()
        return proxy
    }

    /// Starts the real binary with a settings file that another program writes, and waits until it is ready.
    func proxy(path: String) throws -> ProxyUnderTest {
        let proxy = try ProxyUnderTest(path: path, loop: loop, number: proxies.count)
        proxies.append(proxy)
        try proxy.awaitReady()
        return proxy
    }

    /// Starts the real binary, which may not become ready yet.
    func start(
        _ settings: SettingsFile, openFileLimit: Int? = nil, environment: [String: String] = [:],
        options: [String] = []
    ) throws -> ProxyUnderTest {
        let proxy = try ProxyUnderTest(
            settings, loop: loop, in: folder, number: proxies.count, openFileLimit: openFileLimit,
            environment: environment, options: options)
        proxies.append(proxy)
        return proxy
    }

    /// A proxy with one inbound listener `in` in front of the application.
    func inbound(to application: Application, limits: [String: String] = [:]) throws -> ProxyUnderTest {
        try proxy(SettingsFile(listeners: [.inbound(to: application.address)], limits: limits))
    }

    /// A proxy with one outbound listener `out` that dials the server's mutual TLS port.
    func outbound(to server: SocketAddress, limits: [String: String] = [:]) throws -> ProxyUnderTest {
        try proxy(SettingsFile(role: .client, listeners: [.outbound(to: server)], limits: limits))
    }

    /// An inbound proxy in front of the application and an outbound one in front of that, in a process each.
    func pair(
        to application: Application, limits: [String: String] = [:]
    ) throws -> (outbound: ProxyUnderTest, inbound: ProxyUnderTest) {
        let inbound = try inbound(to: application, limits: limits)
        return (try outbound(to: inbound.address("in"), limits: limits), inbound)
    }

    func application(_ behaviour: Application.Behaviour, receiveBufferBytes: Int32? = nil) throws -> Application {
        keep(try Application(behaviour, receiveBufferBytes: receiveBufferBytes))
    }

    /// Keeps a prop alive until the end of the test.
    func keep<Prop: AnyObject>(_ prop: Prop) -> Prop {
        props.append(prop)
        return prop
    }

    fileprivate func end() {
        for proxy in proxies { proxy.expectCleanExit() }
    }

    fileprivate var logs: String {
        proxies.map { "\($0.name):\n\($0.process.standardError.text)\($0.process.standardOutput.text)" }
            .joined(separator: "\n")
    }
}

/// Runs a test on a stage of its own. Afterwards every proxy must end cleanly; if the test fails, their logs are shown.
func onStage(_ loop: EventLoopKind, _ play: (Stage) throws -> Void) throws {
    let stage = try Stage(loop)
    do {
        try play(stage)
        stage.end()
    } catch {
        Issue.record(error, Comment(rawValue: stage.logs))
    }
}
