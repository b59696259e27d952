import Commands
import Control
import Glibc
import Logging
import Settings
import System

/// Runs the demo's proxies and the application until one of them, or the user, ends it.
struct DevDemo {
    private let site: DevSite
    private let loop: ControlLoop
    private let logger: Logger
    private var application: Application?
    private var proxies: [Proxy] = []
    private var readyCount = 0
    private var endedCount = 0
    private var isAnnounced = false
    private var isEnding = false
    private var status: Int32 = 0

    init(site: DevSite, loop: ControlLoop, logger: Logger) {
        self.site = site
        self.loop = loop
        self.logger = logger
    }

    mutating func startApplication(_ command: [String]) throws {
        let port = site.applicationPort ?? 0
        application = try Application(command, port: port)
        Console.write("waiting until \(command[0]) listens on 127.0.0.1:\(port)")
    }

    mutating func startProxies() throws {
        for party in DevSite.Party.allCases {
            let checked = CheckedSettings.load(path: site.settingsPath(of: party), now: WallClock.seconds())
            guard let ready = checked.ready else {
                throw DevFault(reason: checked.flaws.map(\.description).joined(separator: "\n"))
            }
            proxies.append(try Proxy(ready, on: loop, logger: logger))
        }
    }

    /// Prints the calls once everything listens, then serves; returns the application's exit status, if there is one.
    mutating func serve() -> Int32 {
        while endedCount < proxies.count {
            guard let event = loop.next(timeoutMilliseconds: nextGlance()) else {
                if isEnding { application?.kill() }
                continue
            }
            handle(event)
        }
        application?.end(withinMilliseconds: Self.patienceMilliseconds)
        return status
    }

    /// Prints the guide once everything listens; returns how long to wait for an event, nil without limit.
    private mutating func nextGlance() -> Int? {
        if isEnding { return Self.patienceMilliseconds }
        guard readyCount == proxies.count, !isAnnounced else { return nil }
        if let application, !loopbackPortIsOpen(application.port) { return Self.glanceMilliseconds }
        isAnnounced = true
        Console.write(DevGuide(site: site).text)
        return nil
    }

    private mutating func handle(_ event: ControlEvent) {
        if event == .terminate {
            isEnding = true
            application?.terminate()
        }
        for proxy in proxies {
            switch proxy.handle(event) {
            case .nothing: break
            case .ready: readyCount += 1
            case .ended(let end):
                endedCount += 1
                if case .failed = end { endAll(status: 1) }
            }
        }
        if event == .childChanged, let applicationStatus = application?.reap() {
            application = nil
            if !isEnding { Console.complain("the application ended with status \(applicationStatus)") }
            endAll(status: applicationStatus)
        }
    }

    /// Ends everything that still runs; the first status is kept.
    private mutating func endAll(status: Int32) {
        guard !isEnding else { return }
        isEnding = true
        self.status = status
        application?.terminate()
        for proxy in proxies { _ = proxy.terminate() }
    }

    private static let patienceMilliseconds = 5_000
    /// How often to check whether the application listens.
    private static let glanceMilliseconds = 50
}

/// Why the demo could not start.
struct DevFault: Error, CustomStringConvertible {
    let reason: String

    var description: String { reason }
}
