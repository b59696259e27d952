import Policy
import Settings

/// How a mesh names a service account, and how the SVIDs that Postern verifies do.
public struct IdentityNaming: Sendable {
    /// Of the SVIDs.
    public let trustDomain: String
    /// Of Istio's mesh: what becomes ``trustDomain``. Nil if it is not known; then only `cluster.local` is, which Istio
    /// takes for the mesh's own whatever that is called.
    public let meshTrustDomain: String?
    /// Trust domains that Istio treats as its own (`meshConfig.trustDomainAliases`); they keep their names.
    public let aliases: [String]
    /// Trust domains that are neither the mesh's nor an alias of it, and may be named to deny them.
    public let foreign: [String]
    /// The end of Linkerd's identities: `identity.linkerd.cluster.local`.
    public let linkerdDomain: String
    /// The path of the SVIDs' identities in ``trustDomain``: `/ns/{namespace}/sa/{name}`. All others have Istio's.
    public let format: String

    /// Throws what is wrong with one of them.
    public init(
        trustDomain: String, meshTrustDomain: String? = nil, aliases: [String] = [], foreign: [String] = [],
        linkerdDomain: String = "identity.linkerd.cluster.local", format: String = Self.defaultFormat
    ) throws(ImportOptionFlaw) {
        self.trustDomain = trustDomain
        self.meshTrustDomain = meshTrustDomain
        self.aliases = aliases
        self.foreign = foreign
        self.linkerdDomain = linkerdDomain
        self.format = format
        let own = [trustDomain] + aliases + (meshTrustDomain.map { [$0] } ?? [])
        for domain in own + foreign where !Self.isTrustDomain(domain) { throw .notATrustDomain(domain) }
        if let domain = foreign.first(where: { own.contains($0) }) { throw .notForeign(domain) }
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
    ///
    /// Throws where it may be the mesh's own and is not known to be, and where it would become so.
    ///
    /// - Parameter takesAway: whether those that the principal names are refused.
    func trustDomains(for name: String, isPrefix: Bool, takesAway: Bool) throws(TrustDomainFlaw) -> [String] {
        if !isPrefix, name == Self.localDomain || name == meshTrustDomain || aliases.contains(name) {
            return [trustDomain] + aliases
        }
        if foreign.contains(name) { return [name] }
        guard let meshTrustDomain else { throw .meshUnknown(name) }
        if name == meshTrustDomain { return [trustDomain] }
        guard name != trustDomain else { throw .wouldBecomeOurs(name, mesh: meshTrustDomain) }
        guard !takesAway || aliases.contains(name) else { throw .maybeOurs(name) }
        return [name]
    }

    /// Whether a trust domain is none of those that the options name.
    func isUnnamed(_ domain: String) -> Bool { domain != trustDomain && !(aliases + foreign).contains(domain) }

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
        set.terms.flatMap { term in
            if let domain = term.trustDomain { return [pattern(term, in: domain)] }
            let everywhere = pattern(term, in: "*")
            return format == Self.defaultFormat ? [everywhere] : [pattern(term, in: trustDomain), everywhere]
        }
    }

    private func pattern(_ term: IdentityTerm, in domain: String) -> String {
        let format = domain == trustDomain ? format : Self.defaultFormat
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

    private static let localDomain = "cluster.local"
    private static let namespace: Substring = "{namespace}"
    private static let name: Substring = "{name}"
}

/// Why an option of the import is refused; the description says how to fix it.
public enum ImportOptionFlaw: Error, Equatable, Sendable, CustomStringConvertible {
    case notATrustDomain(String)
    case notAFormat(String)
    case notADomain(String)
    case notForeign(String)

    public var description: String {
        switch self {
        case .notATrustDomain(let text): "'\(text)' is not a trust domain: write it as example.org"
        case .notAFormat(let text):
            "'\(text)' is not a path with the segments {namespace} and {name}: write it as "
                + IdentityNaming.defaultFormat
        case .notADomain(let text):
            "'\(text)' is not the end of Linkerd's identities: write it as identity.linkerd.cluster.local"
        case .notForeign(let text): "'\(text)' is both a foreign trust domain and one of the mesh's own"
        }
    }
}

/// Why it is not known whom an Istio principal names; the description says how to fix it.
enum TrustDomainFlaw: Error, CustomStringConvertible {
    case meshUnknown(String)
    case maybeOurs(String)
    case wouldBecomeOurs(String, mesh: String)

    var description: String {
        switch self {
        case .meshUnknown(let name):
            "whom this names depends on the mesh's trust domain: say it with `--mesh-trust-domain \(name)`, or another"
        case .maybeOurs(let name):
            "this would refuse nobody of the mesh: if \(quoted(name)) is another name of the mesh's trust domain, say "
                + "it with `--mesh-trust-domain` or `--trust-domain-alias`, and if it is none, with "
                + "`--foreign-trust-domain \(name)`"
        case .wouldBecomeOurs(let name, let mesh):
            "\(quoted(name)) is not the mesh's trust domain, \(mesh), but that of the SVIDs (`--trust-domain`): those "
                + "that this names would become the mesh's own"
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
