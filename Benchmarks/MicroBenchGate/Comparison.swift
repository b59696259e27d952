/// Measured counts beside the recorded ones.
public struct Comparison {
    /// One case of a run.
    public struct Measured {
        public let name: String
        public let counts: Counts
        /// Whether its instructions and allocations include those of OpenSSL.
        public let usesOpenSSL: Bool

        public init(name: String, counts: Counts, usesOpenSSL: Bool) {
            self.name = name
            self.counts = counts
            self.usesOpenSSL = usesOpenSSL
        }
    }

    /// The regressions that fail the check, one line each.
    public private(set) var regressions: [String] = []
    /// Notes that do not fail the check.
    public private(set) var notes: [String] = []

    /// - Parameter isWhole: whether every case was measured, so that a missing one was removed.
    public init(_ measured: [Measured], from origin: Origin, to thresholds: Thresholds, isWhole: Bool = true) {
        let recorded = thresholds.origin
        let sameOpenSSL = origin.openSSL == recorded.openSSL
        let sameArchitecture = origin.architecture == recorded.architecture
        if !sameArchitecture {
            notes.append(
                "recorded on \(recorded.architecture), this is \(origin.architecture): instructions are not compared")
        }
        if !sameOpenSSL {
            notes.append(
                """
                recorded with \(recorded.openSSL), this is \(origin.openSSL): what includes OpenSSL is not compared; \
                renew with: \(Self.renewal)
                """)
        }
        for measured in measured {
            guard let expected = thresholds.counts(of: measured.name) else {
                regressions.append("\(measured.name): no recorded count; record it with: \(Self.renewal)")
                continue
            }
            let counts = measured.counts
            if sameArchitecture {
                if sameOpenSSL || !measured.usesOpenSSL {
                    compare(measured.name, "instructions", expected.instructions, counts.instructions)
                }
                compare(measured.name, "own instructions", expected.ownInstructions, counts.ownInstructions)
            }
            if sameOpenSSL || !measured.usesOpenSSL {
                compareAllocations(measured.name, expected.allocationTenths, counts.allocationTenths)
            }
        }
        if isWhole {
            for (name, _) in thresholds.cases where !measured.contains(where: { $0.name == name }) {
                regressions.append("\(name): recorded, but not measured; renew with: \(Self.renewal)")
            }
        }
        if !regressions.isEmpty, origin.compiler != recorded.compiler {
            notes.append("recorded with \(recorded.compiler), this is \(origin.compiler)")
        }
    }

    private mutating func compare(_ name: String, _ what: String, _ recorded: Int?, _ measured: Int?) {
        guard let recorded else {
            if measured != nil { regressions.append("\(name): \(what): no recorded count; \(Self.renewal)") }
            return
        }
        guard let measured else {
            regressions.append("\(name): \(what): recorded \(recorded.grouped), but not measured")
            return
        }
        let line = "\(name): \(what): recorded \(recorded.grouped), measured \(measured.grouped)"
        let change = percent(from: recorded, to: measured)
        if measured * 100 > recorded * (100 + Self.limitPercent) {
            regressions.append("\(line), \(change), limit +\(Self.limitPercent) %; if intended: \(Self.renewal)")
        } else if measured * 100 < recorded * (100 - Self.limitPercent) {
            notes.append("\(line), \(change): improved; record it with: \(Self.renewal)")
        }
    }

    private mutating func compareAllocations(_ name: String, _ recorded: Int?, _ measured: Int?) {
        // Cases that need io_uring have no count on machines without it.
        guard let measured else {
            if let recorded {
                notes.append("\(name): allocations: recorded \(recorded.tenths), cannot be measured here")
            }
            return
        }
        guard let recorded else {
            notes.append("\(name): allocations: no recorded count; \(Self.renewal)")
            return
        }
        let line = "\(name): allocations: recorded \(recorded.tenths), measured \(measured.tenths)"
        let change = percent(from: recorded, to: measured)
        let allowance = Self.allocationAllowanceTenths(recorded)
        if measured > recorded + allowance {
            regressions.append("\(line), \(change), limit +0 %; if intended: \(Self.renewal)")
        } else if measured < recorded - allowance {
            notes.append("\(line), \(change): improved; record it with: \(Self.renewal)")
        }
    }

    private func percent(from recorded: Int, to measured: Int) -> String {
        guard recorded > 0 else { return "from none" }
        let tenths = ((measured - recorded) * 1_000) / recorded
        return "\(tenths < 0 ? "-" : "+")\(Int(tenths.magnitude).tenths) %"
    }

    /// The allowed growth of a case's instructions.
    public static let limitPercent = 3
    /// A handshake's many allocations vary by a few in a hundred handshakes, since its numbers are random; small counts
    /// are constant.
    private static func allocationAllowanceTenths(_ recorded: Int) -> Int { recorded >= 1_000 ? 4 : 0 }

    public static let renewal = "scripts/microbench --renew"
}
