import ArgumentParser
import Callgrind
import EventLoop
import MicroBenchGate
import Authority
import Crypto
import TLS

/// Time, instructions and allocations of single operations. `scripts/microbench` runs both commands.
@main
struct PosternMicroBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern-microbench", abstract: "Measures single operations.",
        subcommands: [Count.self, Report.self])

    /// The selected cases, in order; both commands must select the same.
    struct Selection: ParsableArguments {
        @Option(name: .customLong("only"), help: "Measure the cases whose name contains this.")
        var only: String?

        @Option(
            help: "The key exchange group of handshakes.",
            transform: { name in
                guard let group = KeyExchangeGroup(rawValue: name) else { throw ValidationError("no group \(name)") }
                return group
            })
        var keyExchange = KeyExchangeGroup.x25519

        var cases: [MicroCase] { microCases.filter { only.map($0.name.contains) ?? true } }
    }
}

/// Runs each case once, for callgrind to count.
struct Count: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Runs each case once, under callgrind.")

    @OptionGroup var selection: PosternMicroBench.Selection

    func run() throws {
        let identities = try Identities(keyExchange: selection.keyExchange)
        for microCase in selection.cases where microCase.runsUnderValgrind {
            try microCase.warmedUp(identities).perform {}
        }
    }
}

/// Measures time and allocations, adds what callgrind counted, and prints the table.
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the table; checks or renews the thresholds.")

    @OptionGroup var selection: PosternMicroBench.Selection
    @Option(help: "The prefix of callgrind's profiles: PREFIX.1 is the first case's, and so on.")
    var profiles: String
    @Option(help: "The compiler's version, for the thresholds.")
    var compiler: String
    @Option(help: "The recorded counts.")
    var thresholds = "Benchmarks/MicroBench/thresholds.txt"
    @Flag(help: "Fail if a count regressed.")
    var check = false
    @Flag(help: "Record the counts of all cases, or of those selected by --only.")
    var renew = false

    func run() throws {
        let measurements = try measure()
        print(Self.table(measurements))
        let origin = Origin(architecture: Self.architecture, openSSL: CryptoVersion.text, compiler: compiler)
        if renew {
            try record(measurements, origin)
            print("\nwritten: \(thresholds)")
        }
        guard check else { return }
        let recorded = try Thresholds(parsing: readFile(thresholds))
        let comparison = Comparison(
            measurements.map {
                .init(name: $0.microCase.name, counts: $0.counts, usesOpenSSL: $0.microCase.usesOpenSSL)
            }, from: origin, to: recorded, isWhole: selection.only == nil)
        print("")
        for note in comparison.notes { print("note: \(note)") }
        for regression in comparison.regressions { print("error: \(regression)") }
        guard comparison.regressions.isEmpty else { throw ExitCode.failure }
        print("no count regressed: \(measurements.count) cases")
    }

    private struct Measurement {
        let microCase: MicroCase
        let counts: Counts
        let nanoseconds: Double?
    }

    private func measure() throws -> [Measurement] {
        let identities = try Identities(keyExchange: selection.keyExchange)
        var part = 0
        return try selection.cases.map { microCase in
            var counts = Counts(instructions: nil, ownInstructions: nil, allocationTenths: nil)
            if microCase.runsUnderValgrind {
                part += 1
                let profile = try CallgrindProfile(
                    parsing: readFile("\(profiles).\(part)"), ignoring: Self.countingFunctions, of: Self.objectName)
                let (all, own) = (profile.total(outside: "libc.so.6"), profile.total(of: Self.objectName))
                guard own > 0 else { throw MicroBenchFault.profiles("\(microCase.name): nothing counted") }
                let half = microCase.operations / 2
                counts.instructions = (all + half) / microCase.operations
                counts.ownInstructions = (own + half) / microCase.operations
            }
            var figures: NativeFigures?
            do { figures = try NativeFigures(microCase, identities) } catch let fault as EventLoopFault {
                // A sandbox may have no io_uring.
                print("note: \(microCase.name): not measured: \(fault)")
            }
            counts.allocationTenths = figures?.allocationTenths
            return Measurement(microCase: microCase, counts: counts, nanoseconds: figures?.nanoseconds)
        }
    }

    private func record(_ measurements: [Measurement], _ origin: Origin) throws {
        var cases = selection.only == nil ? [] : try Thresholds(parsing: readFile(thresholds)).cases
        for measurement in measurements {
            let fresh = (name: measurement.microCase.name, counts: measurement.counts)
            if let index = cases.firstIndex(where: { $0.name == fresh.name }) {
                cases[index] = fresh
            } else {
                cases.append(fresh)
            }
        }
        try writeFile(Thresholds(origin: origin, cases: cases).text, path: thresholds, mode: 0o644)
    }

    private static func table(_ measurements: [Measurement]) -> String {
        let header = ["operation", "", "ns of CPU", "instructions", "outside OpenSSL", "allocations"]
        return columns(
            [header]
                + measurements.map { measurement in
                    let counts = measurement.counts
                    return [
                        measurement.microCase.name, "",
                        measurement.nanoseconds.map { Int($0.rounded()).grouped } ?? "-",
                        counts.instructions?.grouped ?? "-", counts.ownInstructions?.grouped ?? "-",
                        counts.allocationTenths?.tenths ?? "-",
                    ]
                })
    }

    /// The allocation counter wraps glibc's functions and does not ship.
    private static let countingFunctions: Set<String> = [
        "malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "allocation_count",
    ]

    private static let objectName = "postern-microbench"

    #if arch(x86_64)
        private static let architecture = "x86_64"
    #elseif arch(arm64)
        private static let architecture = "aarch64"
    #endif
}
