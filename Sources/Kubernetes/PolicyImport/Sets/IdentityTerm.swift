import Policy

/// A set of workload identities: those whose trust domain, namespace and service account are the given ones.
///
/// All identities of Istio and Linkerd are of this form, and with ``IdentityNaming`` no others are ever allowed.
struct IdentityTerm: Hashable {
    /// Nil is any, of each of the three.
    var trustDomain: String?
    var namespace: String?
    var serviceAccount: String?

    static let everyone = IdentityTerm(trustDomain: nil, namespace: nil, serviceAccount: nil)

    /// Nil if no identity is in both.
    func intersection(_ other: IdentityTerm) -> IdentityTerm? {
        guard let domain = Self.both(trustDomain, other.trustDomain),
            let namespace = Self.both(namespace, other.namespace),
            let account = Self.both(serviceAccount, other.serviceAccount)
        else { return nil }
        return IdentityTerm(trustDomain: domain, namespace: namespace, serviceAccount: account)
    }

    /// Whether each identity of `other` is one of these.
    func covers(_ other: IdentityTerm) -> Bool { intersection(other) == other }

    /// The other terms that cover it: each has "any" in place of some of its values.
    var generalizations: [IdentityTerm] {
        var found = [self]
        for path in [\IdentityTerm.trustDomain, \.namespace, \.serviceAccount] where self[keyPath: path] != nil {
            found += found.map { term in
                var term = term
                term[keyPath: path] = nil
                return term
            }
        }
        return Array(found.dropFirst())
    }

    /// The value that is both; `.some(nil)` is any, nil none.
    private static func both(_ one: String?, _ other: String?) -> String?? {
        guard let one else { return .some(other) }
        guard let other else { return .some(one) }
        return one == other ? .some(one) : nil
    }
}

/// A union of terms.
struct IdentitySet: Equatable {
    let terms: [IdentityTerm]
    /// The same, to be found.
    private let index: Set<IdentityTerm>

    static let everyone = IdentitySet([.everyone])

    init(_ terms: [IdentityTerm]) {
        var seen: Set<IdentityTerm> = []
        let distinct = terms.filter { seen.insert($0).inserted }
        let terms = distinct.filter { term in !term.generalizations.contains(where: seen.contains) }
        self.terms = terms
        index = Set(terms)
    }

    var isEmpty: Bool { terms.isEmpty }

    func intersection(_ other: IdentitySet) -> IdentitySet {
        IdentitySet(terms.flatMap { term in other.terms.compactMap(term.intersection) })
    }

    func covers(_ term: IdentityTerm) -> Bool {
        index.contains(term) || term.generalizations.contains(where: index.contains)
    }

    func covers(_ other: IdentitySet) -> Bool { other.terms.allSatisfy(covers) }
}
