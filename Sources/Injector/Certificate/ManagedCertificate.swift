import Control
import KubernetesAPI
import Logging
import Synchronization
import System

/// Passes of the upkeep on a thread of their own, because the API server may take its time.
final class ManagedCertificate: CertificateSource {
    private let passes: Passes

    /// - Parameter firstWait: milliseconds until the first pass.
    init(_ upkeep: CertificateUpkeep, served: CertificateReading, firstWait: Int) throws(ControlFault) {
        let passes = try Passes(upkeep)
        self.passes = passes
        do throws(ThreadFault) {
            // It runs to the end of the process.
            _ = try PosixThread { passes.run(served: served, firstWait: firstWait) }
        } catch {
            throw .system(what: "cannot start the thread of the certificate", errno: error.errno)
        }
    }

    func takeNext(now: Int64) -> Result<CertificateReading, CertificateFlaw>? { passes.take() }

    var millisecondsUntilDue: Int { Self.pollMilliseconds }

    func filesChanged(_ descriptor: Int32) {}

    func reloadAsked() { passes.hurry() }

    private static let pollMilliseconds = 1_000
}

/// What the thread and its owner share.
private final class Passes: Sendable {
    private let upkeep: CertificateUpkeep
    private let news = Mutex<Result<CertificateReading, CertificateFlaw>?>(nil)
    private let haste: ControlWake

    init(_ upkeep: CertificateUpkeep) throws(ControlFault) {
        self.upkeep = upkeep
        haste = try ControlWake()
    }

    func take() -> Result<CertificateReading, CertificateFlaw>? {
        news.withLock { news in
            defer { news = nil }
            return news
        }
    }

    func hurry() { haste.signal() }

    func run(served: CertificateReading, firstWait: Int) {
        var served = served
        var wait = firstWait
        var delays = RetryDelays(firstMilliseconds: 1_000)
        var hasFailed = false
        while true {
            // Replicas that started together do not ask together.
            _ = haste.wait(timeoutMilliseconds: Int32(wait + Int.random(in: 0...(wait / 10))))
            haste.clear()
            do throws(CertificateFlaw) {
                let outcome = try upkeep.pass(served: served)
                wait = outcome.waitMilliseconds
                delays.succeeded()
                if let reading = outcome.reading { served = reading }
                // The same one again says that all is well.
                if outcome.reading != nil || hasFailed { tell(.success(served)) }
                hasFailed = false
            } catch {
                wait = delays.next(random: Double.random(in: 0..<1))
                hasFailed = true
                tell(.failure(error))
            }
        }
    }

    private func tell(_ result: Result<CertificateReading, CertificateFlaw>) { news.withLock { $0 = result } }
}

/// The pass before anything can be served, which is repeated until one succeeds. On the control thread.
enum FirstPass {
    /// The certificate, and the milliseconds until the next pass; nil if the order to end came first.
    static func run(
        _ upkeep: CertificateUpkeep, on loop: ControlLoop, logger: Logger
    ) -> (CertificateReading, wait: Int)? {
        var delays = RetryDelays(firstMilliseconds: 1_000, longestMilliseconds: 10_000)
        while true {
            do throws(CertificateFlaw) {
                let outcome = try upkeep.pass(served: nil)
                if !outcome.isInstalled {
                    logger.notice("there is no webhook configuration yet, whose caBundle the injector writes")
                }
                if let reading = outcome.reading { return (reading, outcome.waitMilliseconds) }
            } catch {
                logger.error("there is no certificate yet: \(error)")
            }
            if wait(delays.next(random: Double.random(in: 0..<1)), on: loop) == .terminate { return nil }
        }
    }

    private static func wait(_ milliseconds: Int, on loop: ControlLoop) -> ControlEvent? {
        let deadline = MonotonicClock.milliseconds() + Int64(milliseconds)
        while true {
            let left = deadline - MonotonicClock.milliseconds()
            guard left > 0 else { return nil }
            if loop.next(timeoutMilliseconds: Int(left)) == .terminate { return .terminate }
        }
    }
}
