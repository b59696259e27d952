import Settings

/// What one rule of a source matches: identities, less some, from addresses, to ports.
struct PeerMatch {
    var identities = IdentitySet.everyone
    var excluded = IdentitySet([])
    var sources = SourceSet.everywhere
    var ports = PortSet.all
    var origin: RuleOrigin

    /// Whether it matches nobody.
    var isEmpty: Bool { identities.isEmpty || sources.isEmpty || ports.isEmpty || excluded.covers(identities) }

    /// Those in both; the origin is this one's.
    func intersection(_ other: PeerMatch) -> PeerMatch {
        var result = self
        result.identities = identities.intersection(other.identities)
        result.excluded = IdentitySet(excluded.terms + other.excluded.terms)
        result.sources = sources.intersection(other.sources)
        result.ports = ports.intersection(other.ports)
        return result
    }

    /// The same without exclusions that exclude nobody, and without identities that are excluded whole.
    var simplified: PeerMatch {
        var result = self
        result.identities = IdentitySet(identities.terms.filter { !excluded.covers($0) })
        result.excluded = result.identities.intersection(excluded)
        return result
    }

    /// How many values it has.
    var size: Int { identities.terms.count + excluded.terms.count + sources.count }

    /// How many values are compared to simplify it.
    var simplificationCost: Int { (identities.terms.count + 1) * (excluded.terms.count + 1) }

    /// How many values an intersection compares.
    func cost(of other: PeerMatch) -> Int {
        (identities.terms.count + excluded.terms.count) * (other.identities.terms.count + other.excluded.terms.count)
            + sources.count * other.sources.count
    }

    /// Whether a request may match both, exclusions aside.
    func overlaps(_ other: PeerMatch) -> Bool {
        !identities.intersection(other.identities).isEmpty && !sources.intersection(other.sources).isEmpty
            && !ports.intersection(other.ports).isEmpty
    }
}

/// Where a rule comes from.
struct RuleOrigin {
    /// The name of the rule in Postern, not yet unique.
    var name: String
    /// `AuthorizationPolicy orders/viewer, rules[0]`
    var description: String
    var position: Position
    /// What else made it what it is.
    var remarks: [String] = []
}
