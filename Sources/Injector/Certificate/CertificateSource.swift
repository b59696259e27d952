import Control
import System
import Logging

/// Where the certificates after the first one come from. Belongs to the control thread.
protocol CertificateSource: AnyObject {
    /// What there is since the last call; nil: nothing new.
    ///
    /// - Parameter now: Unix seconds.
    func takeNext(now: Int64) -> Result<CertificateReading, CertificateFlaw>?

    /// How long there is nothing to ask for.
    var millisecondsUntilDue: Int { get }

    func filesChanged(_ descriptor: Int32)

    /// Somebody wants the certificate to be looked at now (SIGHUP).
    func reloadAsked()
}

/// Where the webhook's certificate comes from.
package enum CertificateOrigin: Sendable {
    /// From files that somebody else renews.
    case files(CertificatePaths)
    /// From the injector itself.
    case selfManaged(SelfManagement)

    /// The first certificate, and the source of those after it. For a self-managed one it waits for the API server; nil
    /// if the order to end comes first.
    func begin(
        hosts: [String], on loop: ControlLoop, logger: Logger
    ) throws(InjectorFault) -> (CertificateReading, any CertificateSource)? {
        switch self {
        case .files(let paths):
            let reading = try InjectorFault.translating { () throws(CertificateFlaw) in
                try CertificateReading(paths, hosts: hosts, now: WallClock.seconds())
            }
            do throws(ControlFault) {
                return (reading, try CertificateFiles(paths, hosts: hosts, on: loop))
            } catch {
                throw .control(error)
            }
        case .selfManaged(let management):
            let upkeep = CertificateUpkeep(management, hosts: hosts)
            do throws(ControlFault) {
                return try ManagedCertificate(upkeep).first(on: loop, logger: logger)
            } catch {
                throw .control(error)
            }
        }
    }
}
