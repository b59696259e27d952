import Control
import Glibc
import Logging
import Settings

/// Runs the demo's proxies and the application until one of them, or the user, ends it.
struct DevDemo {
    private let site: DevSite
    private let loop: ControlLoop
    private let logger: Logger
    private var application: Application?
    private var proxies: [Proxy] = []

    init(site: DevSite, loop: ControlLoop, logger: Logger) {
        self.site = site
        self.loop = loop
        self.logger = logger
    }

    mutating func startApplication(_ command: [String]) throws {
        application = try Application(command, port: site.applicationPort ?? 0)
    }

    mutating func startProxies() throws {
        for party in DevSite.Party.allCases {
            let checked = CheckedSettings.load(path: site.settingsPath(of: party), now: Console.now())
            guard let ready = checked.ready else {
                throw DevFault(reason: checked.flaws.map(\.description).joined(separator: "\n"))
            }
            proxies.append(try Proxy(ready, on: loop, logger: logger))
        }
    }

    /// Prints the calls once everything listens, then serves; the exit status is the application's, if there is one.
    mutating func serve() -> Int32 {
        var waiting = proxies.count
        var endedCount = 0
        var status: Int32 = 0
        var isEnding = false
        while endedCount < proxies.count {
            guard let event = loop.next(timeoutMilliseconds: isEnding ? Self.patienceMilliseconds : nil) else {
                application?.kill()
                continue
            }
            if event == .terminate {
                isEnding = true
                application?.terminate()
            }
            if event == .childChanged, let end = application?.reap() {
                if !isEnding { Console.complain("the application ended with status \(end)") }
                status = isEnding ? 0 : end
                application = nil
                if !isEnding { proxies.forEach { _ = $0.terminate() } }
                isEnding = true
            }
            for proxy in proxies {
                switch proxy.handle(event) {
                case .nothing: break
                case .ready:
                    waiting -= 1
                    if waiting == 0 { announce() }
                case .ended(let end):
                    endedCount += 1
                    if case .failed = end { status = 1 }
                }
            }
        }
        application?.end(withinMilliseconds: Self.patienceMilliseconds)
        return status
    }

    private func announce() {
        if let application, !application.listens(withinMilliseconds: 10_000) {
            Console.complain("the application does not listen on 127.0.0.1:\(application.port) yet")
        }
        Console.write(DevGuide(site: site).text)
    }

    private static let patienceMilliseconds = 5_000
}

/// Why the demo could not start.
struct DevFault: Error, CustomStringConvertible {
    let reason: String

    var description: String { reason }
}
