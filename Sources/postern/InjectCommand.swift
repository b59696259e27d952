import ArgumentParser
import Commands
import Glibc
import Kubernetes
import Settings
import System

struct InjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inject",
        abstract: "Add the sidecar to the pods of a Kubernetes manifest.",
        discussion: """
            Reads YAML or JSON (Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, List; several \
            documents), and writes it to standard output with the sidecar added and all else byte for byte as it was. \
            What is skipped, and why, goes to standard error. A pod is injected once; --uninject gives back the text \
            from before.
            With --review it reads an AdmissionReview of Kubernetes (admission.k8s.io/v1) instead, and writes the answer \
            of a mutating webhook.
            Exit codes: 0 done, also where all was skipped, 1 the output cannot be written, 2 the input is refused, and \
            nothing is written.
            """)

    @Argument(help: ArgumentHelp("The manifest, or - for standard input.", valueName: "file"))
    var path = "-"

    @Flag(help: "Take the sidecar out again.")
    var uninject = false

    @Flag(help: "Write nothing, and say on standard error what would be done.")
    var dryRun = false

    @Flag(help: "Answer an AdmissionReview as a webhook would.")
    var review = false

    @OptionGroup var options: InjectionOptions

    func run() throws {
        let injection = try options.injection()
        let text = try ManifestFile.read(path, bytesAtMost: Injection.bytesAtMost)
        guard !review else { return try answer(text, injection) }
        let result: Injection.Result
        do throws(InjectionRefusal) {
            result = uninject ? try Injection.uninject(text, file: path) : try injection.inject(text, file: path)
        } catch {
            Console.complain(error.flaws)
            throw ExitCode.badInput
        }
        for report in result.reports {
            if dryRun || report.isSkipped { Console.complain(report.description) }
            Console.complain(report.warnings)
        }
        for warning in result.images.sorted().compactMap(Injection.warning(ofImage:)) {
            Console.complain("warning: \(warning)")
        }
        if !dryRun { try write(result.text) }
    }

    func validate() throws {
        guard !review || !uninject && !dryRun else {
            throw ValidationError("--review goes with neither --uninject nor --dry-run")
        }
    }

    private func answer(_ text: [UInt8], _ injection: Injection) throws {
        let answer: AdmissionAnswer
        do throws(AdmissionFault) {
            answer = try injection.answer(to: text)
        } catch {
            throw BadInput("\(path): \(error)")
        }
        try write(answer.body + [UInt8(ascii: "\n")])
    }

    private func write(_ bytes: [UInt8]) throws {
        guard !Console.write(bytes: bytes) else { return }
        Console.complain("standard output cannot be written: \(systemMessage(errno))")
        throw ExitCode.failure
    }
}

extension WorkloadReport {
    fileprivate var isSkipped: Bool {
        if case .skipped = outcome { true } else { false }
    }
}
