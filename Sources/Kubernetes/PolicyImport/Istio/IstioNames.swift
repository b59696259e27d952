import Settings

/// The names of peers in Istio's policies.
///
/// [Authorization Policy, "Rule"](https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule):
/// a text matches exactly, or as a prefix (`abc*`), a suffix (`*abc`) or by its presence (`*`).
struct IstioNames {
    let naming: IdentityNaming
    let file: String

    /// A principal (["Source"](https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source)):
    /// `cluster.local/ns/default/sa/productpage`. Prefixes and suffixes are those of whole segments.
    ///
    /// - Parameter takesAway: whether those that it names are refused.
    func principal(_ node: SourceNode, takesAway: Bool) throws(SettingsFlaw) -> [IdentityTerm] {
        let text = try node.text("a principal", in: file)
        if text == "*" { return [.everyone] }
        guard !text.hasPrefix("spiffe://") else {
            throw flaw("\(quoted(text)) matches nobody in Istio: leave `spiffe://` out", node)
        }
        if text.hasPrefix("*/") {
            guard let term = Self.suffix(text.dropFirst(2)) else { throw partial(text, node) }
            return [term]
        }
        let isPrefix = text.hasSuffix("/*")
        guard let term = Self.prefix(isPrefix ? text.dropLast(2) : text[...], isWhole: !isPrefix),
            let domain = term.trustDomain, IdentityNaming.isTrustDomain(domain)
        else { throw partial(text, node) }
        let isShort = isPrefix && text.split(separator: "/").count < 5
        let domains: [String]
        do throws(TrustDomainFlaw) {
            domains = try naming.trustDomains(for: domain, isPrefix: isShort, takesAway: takesAway)
        } catch {
            throw flaw("\(quoted(text)): \(error)", node)
        }
        return domains.map {
            var term = term
            term.trustDomain = $0
            return term
        }
    }

    /// A namespace of any trust domain.
    func namespace(_ node: SourceNode) throws(SettingsFlaw) -> [IdentityTerm] {
        let text = try node.text("a namespace", in: file)
        if text == "*" { return [.everyone] }
        guard text.isName else {
            throw flaw("\(quoted(text)) cannot be expressed: write each namespace in full, or `*` for all", node)
        }
        return [IdentityTerm(trustDomain: nil, namespace: text, serviceAccount: nil)]
    }

    /// `NAME`, of the policy's own namespace, or `NAMESPACE/NAME`; of any trust domain.
    ///
    /// Istio makes a regular expression of it and escapes nothing, so that a dot stands for any character there.
    ///
    /// - Parameter takesAway: whether those that it names are refused.
    func serviceAccount(
        _ node: SourceNode, namespace: String, takesAway: Bool
    ) throws(SettingsFlaw) -> [IdentityTerm] {
        let text = try node.text("a service account", in: file)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, name.isDottedName, parts.count == 1 || (parts.count == 2 && parts[0].isName) else {
            throw flaw(
                "\(quoted(text)) cannot be expressed: write each service account in full, as `viewer` or "
                    + "`orders/viewer`", node)
        }
        guard !takesAway || !name.contains(".") else {
            throw flaw(
                "Istio takes a dot in \(quoted(text)) for any character, so that this also refuses others: name them "
                    + "by `principals`", node)
        }
        return [
            IdentityTerm(
                trustDomain: nil, namespace: parts.count == 2 ? String(parts[0]) : namespace,
                serviceAccount: String(name))
        ]
    }

    /// `TD`, `TD/ns`, `TD/ns/NS`, `TD/ns/NS/sa` as prefixes, and the whole `TD/ns/NS/sa/SA`.
    private static func prefix(_ text: Substring, isWhole: Bool) -> IdentityTerm? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard isWhole ? parts.count == 5 : (1...4).contains(parts.count) else { return nil }
        guard parts.count < 2 || parts[1] == "ns", parts.count < 3 || parts[2].isName,
            parts.count < 4 || parts[3] == "sa", parts.count < 5 || parts[4].isDottedName
        else { return nil }
        return IdentityTerm(
            trustDomain: String(parts[0]), namespace: parts.count > 2 ? String(parts[2]) : nil,
            serviceAccount: parts.count > 4 ? String(parts[4]) : nil)
    }

    /// `SA`, `sa/SA`, `NS/sa/SA`, `ns/NS/sa/SA`.
    private static func suffix(_ text: Substring) -> IdentityTerm? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...4).contains(parts.count), let account = parts.last, account.isDottedName,
            parts.count < 2 || parts[parts.count - 2] == "sa", parts.count < 3 || parts[parts.count - 3].isName,
            parts.count < 4 || parts[0] == "ns"
        else { return nil }
        return IdentityTerm(
            trustDomain: nil, namespace: parts.count > 2 ? String(parts[parts.count - 3]) : nil,
            serviceAccount: String(account))
    }

    private func partial(_ text: String, _ node: SourceNode) -> SettingsFlaw {
        flaw(
            "\(quoted(text)) cannot be expressed: a star stands for whole segments at the beginning or the end "
                + "(`cluster.local/ns/orders/*`, `*/sa/viewer`, `*`), and all else is written in full, as "
                + "`cluster.local/ns/orders/sa/viewer`", node)
    }

    private func flaw(_ message: String, _ node: SourceNode) -> SettingsFlaw {
        SettingsFlaw(.error, at: node.position(in: file), message)
    }
}
