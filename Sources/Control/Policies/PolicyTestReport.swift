import Policy
public import Settings

/// Cases, what has become of each, and the rules that decided none.
public struct PolicyTestReport: Sendable {
    private struct Result {
        var file: String
        var name: String
        /// Nil: as expected.
        var complaint: String?
    }

    /// A rule of a policy of a file.
    private struct RulePlace: Hashable {
        var file: String
        var policy: String
        var rule: String
    }

    private var results: [Result] = []
    /// In the order of the files.
    private var rules: [RulePlace] = []
    private var decided: Set<RulePlace> = []

    public init() {}

    /// - Parameters:
    ///   - file: of the cases.
    ///   - path: of the settings.
    public mutating func run(_ cases: [PolicyCase], file: String, of settings: Settings, at path: String) {
        let places = settings.policies.flatMap { policy in
            policy.rules.map { RulePlace(file: path, policy: policy.name, rule: $0.name) }
        }
        rules += places.filter { !rules.contains($0) }
        for one in cases {
            results.append(Result(file: file, name: one.name, complaint: complaint(one, settings, path)))
        }
    }

    public var isGood: Bool { results.allSatisfy { $0.complaint == nil } }

    /// Of the rules those that decided a case, in per cent; 100 without rules.
    public var coverage: Int { rules.isEmpty ? 100 : decided.count * 100 / rules.count }

    public var text: String {
        var lines = results.compactMap { result in
            result.complaint.map { "\(result.file): \(result.name): \($0)" }
        }
        let bad = lines.count
        lines.append("\(results.count - bad) of \(results.count) cases as expected")
        let idle = rules.filter { !decided.contains($0) }
        lines.append("\(rules.count - idle.count) of \(rules.count) rules decide a case (\(coverage) %)")
        lines += idle.map { "  none of \($0.policy): \($0.rule)" }
        return lines.joined(separator: "\n")
    }

    /// JUnit's XML, one suite for each file.
    public var junit: String {
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites>"]
        var files: [String] = []
        for result in results where !files.contains(result.file) { files.append(result.file) }
        for file in files {
            let own = results.filter { $0.file == file }
            let bad = own.count { $0.complaint != nil }
            lines.append("  <testsuite name=\"\(Self.escaped(file))\" tests=\"\(own.count)\" failures=\"\(bad)\">")
            for result in own {
                let head = "    <testcase classname=\"\(Self.escaped(file))\" name=\"\(Self.escaped(result.name))\""
                if let complaint = result.complaint {
                    lines.append("\(head)><failure message=\"\(Self.escaped(complaint))\"/></testcase>")
                } else {
                    lines.append("\(head)/>")
                }
            }
            lines.append("  </testsuite>")
        }
        return (lines + ["</testsuites>", ""]).joined(separator: "\n")
    }

    private mutating func complaint(_ one: PolicyCase, _ settings: Settings, _ path: String) -> String? {
        let question = Question(
            identity: one.identity, source: one.source, serverName: one.serverName,
            applicationProtocol: one.applicationProtocol, destinationPort: one.port, destination: one.destination)
        if let flaw = question.flaw(for: one.listener, of: settings) { return flaw }
        guard let answer = Answer(to: question, listener: one.listener, settings: settings) else {
            return "there is no listener \(quoted(one.listener))"
        }
        var rule: String?
        if case .policy(let policy, _, let explanation) = answer.verdict {
            rule = explanation.decision.ruleIndex.map { explanation.rules[$0].name }
            if let rule { decided.insert(RulePlace(file: path, policy: policy, rule: rule)) }
        }
        let why = answer.text.prefix { $0 != "\n" }
        let effect: PolicyExpectation = !answer.forwards ? .deny : answer.isAuditedOnly ? .wouldDeny : .allow
        if effect != one.expectation { return "expected \(one.expectation.rawValue), but it is \(why)" }
        if let route = one.route, answer.route != route {
            return "expected the route \(quoted(route)), but it takes \(answer.route.map(quoted) ?? "none")"
        }
        if let expected = one.rule, rule != expected {
            return "expected the rule \(quoted(expected)), but it is \(why)"
        }
        return nil
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case _ where scalar.value < 0x20: escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension Answer {
    /// Whether it is forwarded although the policy would refuse it.
    var isAuditedOnly: Bool {
        guard case .policy(_, _, let explanation) = verdict else { return false }
        return forwards && explanation.decision.outcome != .allowed
    }
}
