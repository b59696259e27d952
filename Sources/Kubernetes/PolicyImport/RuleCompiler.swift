import Policy
import Settings

/// Makes rules of Postern, which name only what matches, of matches that also name what does not.
///
/// Allowed is what an `allow` matches and no `deny`. Postern decides so too, but a rule has no exclusions. So:
/// - a `deny` of everyone but some (`notPrincipals`) becomes a narrower `allow`: these, or from elsewhere, or to other
///   ports;
/// - an `allow` of all but some becomes an `allow` of all and a `deny` of these, where no other rule allows them.
/// What is left is refused. Never is more allowed than by the source.
struct RuleCompiler {
    private var allows: [PeerMatch]
    private var denials: [PeerMatch] = []
    private var steps = 0

    /// A rule before it is written.
    struct Result {
        var action: Action
        var match: PeerMatch
    }

    static let matchesAtMost = 512
    /// So that lists that multiply each other end: seconds.
    private static let stepsAtMost = 5_000_000

    static func compile(allows: [PeerMatch], denials: [PeerMatch]) throws(SettingsFlaw) -> [Result] {
        var compiler = RuleCompiler(allows: [])
        for match in allows + denials { try compiler.spend(match.simplificationCost, at: match.origin.position) }
        compiler.allows = allows.filter { !$0.isEmpty }.map(\.simplified)
        let denials = denials.filter { !$0.isEmpty }.map(\.simplified)
        // Those that narrow what is allowed first: then less of it can conflict with the others.
        for denial in denials where denial.identities == .everyone { try compiler.add(denial: denial) }
        for denial in denials where denial.identities != .everyone { try compiler.add(denial: denial) }
        try compiler.expressExclusions()
        return compiler.denials.map { Result(action: .deny, match: $0) }
            + compiler.allows.map { Result(action: .allow, match: $0) }
    }

    private init(allows: [PeerMatch]) { self.allows = allows }

    private mutating func add(denial: PeerMatch) throws(SettingsFlaw) {
        guard !denial.excluded.isEmpty else { return denials.append(denial) }
        guard denial.identities == .everyone else { return try addMixed(denial) }
        let parts = try Self.parts(outside: denial)
        var remaining: [PeerMatch] = []
        for allow in allows {
            for part in parts {
                try spend(allow.cost(of: part), at: denial.origin.position)
                var rest = allow.intersection(part)
                try spend(rest.simplificationCost, at: denial.origin.position)
                rest.origin.remarks.append("narrowed by \(denial.origin.description)")
                if !rest.isEmpty { remaining.append(rest.simplified) }
            }
        }
        guard remaining.count <= Self.matchesAtMost else {
            throw SettingsFlaw(
                .error, at: denial.origin.position,
                "this and the rules before it make more than "
                    + "\(Self.matchesAtMost) rules: import fewer policies at a time")
        }
        allows = remaining
    }

    /// What a denial of all but some does not match: these, and all from other addresses or to other ports.
    private static func parts(outside denial: PeerMatch) throws(SettingsFlaw) -> [PeerMatch] {
        var spared = PeerMatch(origin: denial.origin)
        spared.identities = denial.excluded
        var elsewhere = PeerMatch(origin: denial.origin)
        guard let sources = SourceSet.everywhere.subtracting(denial.sources) else {
            throw SettingsFlaw(
                .error, at: denial.origin.position,
                "the addresses that this does not match need more than \(SourceSet.blocksAtMost) blocks: name fewer")
        }
        elsewhere.sources = sources
        var otherPorts = PeerMatch(origin: denial.origin)
        otherPorts.ports = PortSet.all.subtracting(denial.ports)
        return [spared, elsewhere, otherPorts].filter { !$0.isEmpty }
    }

    private mutating func spend(_ count: Int, at position: Position) throws(SettingsFlaw) {
        steps += count
        guard steps <= Self.stepsAtMost else {
            throw SettingsFlaw(
                .error, at: position, "the policies have too many values to combine: import fewer at a time")
        }
    }

    /// A denial of some identities but not of all in them: those that nothing is excluded from are denied.
    private mutating func addMixed(_ denial: PeerMatch) throws(SettingsFlaw) {
        // What is excluded matters only where it could be allowed.
        var spared = denial
        (spared.identities, spared.excluded) = (denial.excluded, IdentitySet([]))
        for allow in allows { try spend(allow.cost(of: spared), at: denial.origin.position) }
        guard !allows.contains(where: { $0.allowsSome(of: spared) }) else {
            throw SettingsFlaw(
                .error, at: denial.origin.position,
                "a DENY rule with both identities and exclusions of some of them cannot be expressed: name the "
                    + "identities to deny one by one")
        }
        var whole = denial
        whole.excluded = IdentitySet([])
        denials.append(whole)
    }

    private mutating func expressExclusions() throws(SettingsFlaw) {
        for (index, allow) in allows.enumerated() where !allow.excluded.isEmpty {
            var denial = allow
            (denial.identities, denial.excluded) = (allow.excluded, IdentitySet([]))
            denial.origin.name += "-except"
            denial.origin.description += ", what it excludes"
            for other in allows { try spend(other.cost(of: denial), at: allow.origin.position) }
            if let other = allows.enumerated().first(where: { $0 != index && $1.allowsSome(of: denial) })?.element {
                let isSame = other.origin.description == allow.origin.description
                let who = "\(other.origin.description) at line \(other.origin.position.line)"
                throw SettingsFlaw(
                    .error, at: allow.origin.position,
                    "what this rule excludes, \(isSame ? "another part of it" : who) allows, which cannot be expressed "
                        + "together: name the identities to allow instead of those to exclude")
            }
            denials.append(denial)
        }
        for index in allows.indices { allows[index].excluded = IdentitySet([]) }
    }
}

extension PeerMatch {
    /// Whether it allows a peer that the other one names, its own exclusions observed.
    fileprivate func allowsSome(of other: PeerMatch) -> Bool {
        guard overlaps(other) else { return false }
        return !excluded.covers(identities.intersection(other.identities))
    }
}
