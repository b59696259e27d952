import Control
import System

/// The files of a mounted certificate, and when they are read again. Belongs to the control thread.
///
/// The kubelet changes a mounted Secret by the link `..data`, so that both files may change between two reads: they are
/// then flawed for a moment, and read again.
final class CertificateFiles: CertificateSource {
    private let paths: CertificatePaths
    private let hosts: [String]
    private var files: WatchedFiles

    init(_ paths: CertificatePaths, hosts: [String], on loop: ControlLoop) throws(ControlFault) {
        self.paths = paths
        self.hosts = hosts
        files = try WatchedFiles(paths.all, on: loop)
    }

    func filesChanged(_ descriptor: Int32) { files.filesChanged(descriptor) }

    func reloadAsked() { files.readAsked() }

    var millisecondsUntilDue: Int { files.millisecondsUntilDue }

    /// Reads the files if that is due; nil if it is not.
    func takeNext(now: Int64) -> Result<CertificateReading, CertificateFlaw>? {
        guard files.takeTurn() else { return nil }
        do throws(CertificateFlaw) {
            let reading = try CertificateReading(paths, hosts: hosts, now: now)
            files.looked(isSound: true)
            return .success(reading)
        } catch {
            files.looked(isSound: false)
            return .failure(error)
        }
    }
}

/// Where the certificate, its key, and the authorities of clients are, all PEM.
package struct CertificatePaths: Hashable, Sendable {
    package var certificate: String
    package var privateKey: String
    /// Nil: clients need no certificate.
    package var clientAuthorities: String?

    package init(certificate: String, privateKey: String, clientAuthorities: String? = nil) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.clientAuthorities = clientAuthorities
    }

    var all: [String] { [certificate, privateKey] + [clientAuthorities].compactMap(\.self) }
}

/// What the files say.
package struct CertificateReading: Sendable {
    package let certificate: ServingCertificate
    /// DER; empty: clients need no certificate.
    let clientAuthorities: [[UInt8]]

    init(_ certificate: ServingCertificate, clientAuthorities: [[UInt8]]) {
        self.certificate = certificate
        self.clientAuthorities = clientAuthorities
    }

    /// - Parameter now: Unix seconds.
    package init(_ paths: CertificatePaths, hosts: [String], now: Int64) throws(CertificateFlaw) {
        let chain = try Self.read(paths.certificate, .certificate)
        var key = try Self.read(paths.privateKey, .privateKey)
        defer { FileContents.overwrite(&key) }
        do throws(CertificateFlaw) {
            certificate = try ServingCertificate(certificate: chain, key: &key, hosts: hosts, now: now)
        } catch {
            let path = error.part == .privateKey ? paths.privateKey : paths.certificate
            throw CertificateFlaw(error.part, error.message, path: path)
        }
        clientAuthorities =
            try paths.clientAuthorities.map { path throws(CertificateFlaw) in
                try Self.authorities(path)
            } ?? []
    }

    func isSame(as other: CertificateReading) -> Bool {
        certificate.isSame(as: other.certificate) && clientAuthorities == other.clientAuthorities
    }

    static func authorities(_ path: String) throws(CertificateFlaw) -> [[UInt8]] {
        let text = try read(path, .clientAuthorities)
        do throws(CertificateFlaw) {
            return try ServingCertificate.certificates(text, .clientAuthorities)
        } catch {
            throw CertificateFlaw(error.part, error.message, path: path)
        }
    }

    private static func read(_ path: String, _ part: CertificateFlaw.Part) throws(CertificateFlaw) -> [UInt8] {
        do throws(FileFlaw) {
            return try FileContents.read(path: path).bytes
        } catch {
            throw CertificateFlaw(part, error == .cannotOpen(errno: 2) ? "does not exist" : "\(error)", path: path)
        }
    }
}
