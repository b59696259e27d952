import Control
import KubernetesAPI
import Logging
import Synchronization
import System

/// Passes of the upkeep on a thread of their own, because the API server may take its time.
final class ManagedCertificate: CertificateSource {
    private let passes: Passes

    init(_ upkeep: CertificateUpkeep) throws(ControlFault) {
        let passes = try Passes(upkeep)
        self.passes = passes
        do throws(ThreadFault) {
            // It runs to the end of the process.
            _ = try PosixThread { passes.run() }
        } catch {
            throw .system(what: "cannot start the thread of the certificate", errno: error.errno)
        }
    }

    /// Waits for the first certificate, while the loop goes on; nil if the order to end came first.
    func first(on loop: ControlLoop, logger: Logger) -> (CertificateReading, any CertificateSource)? {
        while true {
            switch passes.take() {
            case .success(let reading):
                if !passes.isInstalled {
                    logger.notice("there is no webhook configuration yet, whose caBundle the injector writes")
                }
                return (reading, self)
            case .failure(let flaw): logger.error("there is no certificate yet: \(flaw)")
            case nil: break
            }
            if loop.next(timeoutMilliseconds: Self.firstPollMilliseconds) == .terminate { return nil }
        }
    }

    func takeNext(now: Int64) -> Result<CertificateReading, CertificateFlaw>? { passes.take() }

    var millisecondsUntilDue: Int { Self.pollMilliseconds }

    func filesChanged(_ descriptor: Int32) {}

    func reloadAsked() { passes.hurry() }

    private static let pollMilliseconds = 1_000
    private static let firstPollMilliseconds = 50
}

/// What the thread and its owner share.
private final class Passes: Sendable {
    private let upkeep: CertificateUpkeep
    private let news = Mutex<Result<CertificateReading, CertificateFlaw>?>(nil)
    private let haste: ControlWake
    private let installed = Atomic(false)

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

    /// Whether the last pass found a webhook configuration.
    var isInstalled: Bool { installed.load(ordering: .relaxed) }

    func run() {
        var served: CertificateReading?
        var wait = 0
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
                installed.store(outcome.isInstalled, ordering: .relaxed)
                if let reading = outcome.reading { served = reading }
                // The same one again says that all is well.
                if let served, outcome.reading != nil || hasFailed { tell(.success(served)) }
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
