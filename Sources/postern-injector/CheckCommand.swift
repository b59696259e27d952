import ArgumentParser
import Commands
import Injector
import Kubernetes
import Settings
import System

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the certificate that would be served, and the webhook's manifests.",
        discussion: """
            The certificate: as `run` checks it. Manifests (YAML or JSON): their MutatingWebhookConfigurations, of \
            which there must be one; other objects are passed over.
            Exit codes: 0 sound, 2 flawed; each flaw goes to standard error.
            """)

    @OptionGroup var certificate: CertificateOptions

    @Argument(help: ArgumentHelp("Manifests with the webhook's configuration.", valueName: "file"))
    var manifests: [String] = []

    func validate() throws {
        guard !manifests.isEmpty || certificate.certificate != nil else {
            throw ValidationError("give manifests, or --certificate and --private-key")
        }
    }

    func run() throws {
        var isSound = true
        if certificate.certificate != nil {
            do throws(CertificateFlaw) {
                _ = try CertificateReading(
                    try paths(), hosts: certificate.hosts, now: WallClock.seconds())
            } catch {
                Console.complain("error: \(error)")
                isSound = false
            }
        }
        var webhooks = 0
        for path in manifests {
            let flaws = try check(path, &webhooks)
            Console.complain(flaws)
            isSound = isSound && !flaws.contains { $0.severity == .error }
        }
        if !manifests.isEmpty, webhooks == 0, isSound {
            throw BadInput("there is no MutatingWebhookConfiguration in \(manifests.joined(separator: ", "))")
        }
        guard isSound else { throw ExitCode.badInput }
    }

    private func paths() throws(CertificateFlaw) -> CertificatePaths {
        do throws(BadInput) {
            return try certificate.paths()
        } catch {
            throw CertificateFlaw(.privateKey, "is not given: --private-key is needed")
        }
    }

    private func check(_ path: String, _ webhooks: inout Int) throws(BadInput) -> [SettingsFlaw] {
        let text: [UInt8]
        do throws(FileFlaw) {
            text = try FileContents.read(path: path, limitBytes: Injection.bytesAtMost).bytes
        } catch {
            throw BadInput("\(path): \(error)")
        }
        do throws(SettingsFlaw) {
            let (count, flaws) = try WebhookCheck.flaws(in: text, file: path)
            webhooks += count
            return flaws
        } catch {
            return [error]
        }
    }
}
