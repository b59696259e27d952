import Policy

/// How a mesh names a service account, and how the SVIDs that Postern verifies do.
public struct IdentityNaming: Sendable {
    /// Of the SVIDs.
    public let trustDomain: String
    /// Of the mesh: what becomes ``trustDomain``.
    public let meshTrustDomain: String
    /// Trust domains that Istio treats as its own (`meshConfig.trustDomainAliases`); they keep their names.
    public let aliases: [String]
    /// The end of Linkerd's identities: `identity.linkerd.cluster.local`.
    public let linkerdDomain: String
    /// The path of the SVIDs' identities: `/ns/{namespace}/sa/{name}`.
    public let format: String

    /// Throws what is wrong with one of them.
    public init(
        trustDomain: String, meshTrustDomain: String = "cluster.local", aliases: [String] = [],
        linkerdDomain: String = "identity.linkerd.cluster.local", format: String = Self.defaultFormat
    ) throws(ImportOptionFlaw) {
        self.trustDomain = trustDomain
        self.meshTrustDomain = meshTrustDomain
        self.aliases = aliases
        self.linkerdDomain = linkerdDomain
        self.format = format
        for domain in [trustDomain, meshTrustDomain] + aliases where !Self.isTrustDomain(domain) {
            throw .notATrustDomain(domain)
        }
        let segments = format.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard format.hasPrefix("/"), segments.filter({ $0 == Self.namespace }).count == 1,
            segments.filter({ $0 == Self.name }).count == 1,
            !segments.contains(where: { $0.isEmpty || $0.contains("*") }),
            (try? IdentityPattern(parsing: pattern(IdentityTerm.everyone, in: trustDomain))) != nil
        else { throw .notAFormat(format) }
        guard linkerdDomain.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ $0.isName }) else {
            throw .notADomain(linkerdDomain)
        }
    }

    public static let defaultFormat = "/ns/{namespace}/sa/{name}"

    /// The trust domains of the SVIDs for one that an Istio principal names.
    ///
    /// As in Istio's trust domain migration: `cluster.local` is the mesh's domain by another name, and a principal of
    /// the mesh's domain, or of an alias, is one of all of these. A prefix (`cluster.local/ns/a/*`) is not migrated.
    func trustDomains(for name: String, isPrefix: Bool) -> [String] {
        let isOurs = name == meshTrustDomain || (name == "cluster.local" && !isPrefix)
        guard !isPrefix else { return [isOurs ? trustDomain : name] }
        return isOurs || aliases.contains(name) ? [trustDomain] + aliases : [name]
    }

    /// The patterns of a set that may be let in; any trust domain is only the mesh's own and its aliases.
    func allowed(_ set: IdentitySet) -> [String] {
        let home = IdentitySet(([trustDomain] + aliases).map { IdentityTerm(trustDomain: $0) })
        let terms = set.terms.flatMap { term in
            term.trustDomain == nil ? home.terms.compactMap(term.intersection) : [term]
        }
        return IdentitySet(terms).terms.map { pattern($0, in: $0.trustDomain ?? trustDomain) }
    }

    /// The patterns of a set that is refused.
    func denied(_ set: IdentitySet) -> [String] {
        set.terms.map { pattern($0, in: $0.trustDomain ?? "*") }
    }

    private func pattern(_ term: IdentityTerm, in domain: String) -> String {
        let segments = format.split(separator: "/").map { segment in
            switch segment {
            case Self.namespace: term.namespace ?? "*"
            case Self.name: term.serviceAccount ?? "*"
            default: String(segment)
            }
        }
        return "spiffe://" + ([domain] + segments).joined(separator: "/")
    }

    static func isTrustDomain(_ text: String) -> Bool {
        !text.contains("*") && !text.contains("/") && (try? IdentityPattern(parsing: "spiffe://\(text)/**")) != nil
    }

    private static let namespace: Substring = "{namespace}"
    private static let name: Substring = "{name}"
}

/// Why an option of the import is refused; the description says how to fix it.
public enum ImportOptionFlaw: Error, Equatable, Sendable, CustomStringConvertible {
    case notATrustDomain(String)
    case notAFormat(String)
    case notADomain(String)

    public var description: String {
        switch self {
        case .notATrustDomain(let text): "'\(text)' is not a trust domain: write it as example.org"
        case .notAFormat(let text):
            "'\(text)' is not a path with the segments {namespace} and {name}: write it as "
                + IdentityNaming.defaultFormat
        case .notADomain(let text):
            "'\(text)' is not the end of Linkerd's identities: write it as identity.linkerd.cluster.local"
        }
    }
}

extension IdentityTerm {
    init(trustDomain: String) {
        self.init(trustDomain: trustDomain, namespace: nil, serviceAccount: nil)
    }
}

extension StringProtocol {
    /// Whether it is a name of Kubernetes's without dots (RFC 1123 label, but of any length to 253).
    var isName: Bool { !contains(".") && isDottedName }

    /// Whether it is a name of Kubernetes's (RFC 1123 subdomain).
    var isDottedName: Bool {
        (1...253).contains(utf8.count)
            && split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                label.utf8.allSatisfy {
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
                } && !label.isEmpty && label.first != "-" && label.last != "-"
            }
    }
}
