import Settings

/// The names of peers in Linkerd's policies.
struct LinkerdIdentities {
    let naming: IdentityNaming
    let file: String

    /// An identity of MeshTLSAuthentication
    /// (["MeshTLSAuthentication Spec"](https://linkerd.io/2/reference/authorization-policy/#meshtlsauthentication)):
    /// `NAME.NAMESPACE.serviceaccount.identity.linkerd.cluster.local`; `*.` before a domain is all in it, `*` is all of
    /// the mesh.
    func identity(_ node: SourceNode) throws(SettingsFlaw) -> IdentityTerm {
        let text = try node.text("an identity", in: file)
        if text == "*" { return everyone }
        guard !text.hasPrefix("spiffe://") else {
            throw SettingsFlaw(
                .error, at: node.position(in: file),
                "\(quoted(text)) is no identity of a service account, and SPIFFE IDs of other workloads are not "
                    + "imported: leave it out, and add a rule by hand")
        }
        let tail = ["serviceaccount"] + naming.linkerdDomain.split(separator: ".").map(String.init)
        let labels = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if labels.first == "*" {
            let suffix = Array(labels.dropFirst())
            // A suffix of the end that all identities have.
            if !suffix.isEmpty, suffix.count <= tail.count, Array(tail.suffix(suffix.count)) == suffix {
                return everyone
            }
            guard suffix.count == tail.count + 1, Array(suffix.dropFirst()) == tail, suffix[0].isName else {
                throw partial(text, node)
            }
            return IdentityTerm(trustDomain: naming.trustDomain, namespace: suffix[0], serviceAccount: nil)
        }
        // A service account's name may have dots, a namespace's may not.
        let own = Array(labels.dropLast(tail.count))
        guard own.count >= 2, Array(labels.suffix(tail.count)) == tail, let namespace = own.last, namespace.isName
        else {
            throw partial(text, node)
        }
        let account = own.dropLast().joined(separator: ".")
        guard account.isDottedName else { throw partial(text, node) }
        return IdentityTerm(trustDomain: naming.trustDomain, namespace: namespace, serviceAccount: account)
    }

    /// A service account by reference.
    func serviceAccount(_ name: String, in namespace: String, at node: SourceNode) throws(SettingsFlaw) -> IdentityTerm
    {
        guard name.isDottedName, namespace.isName else {
            throw SettingsFlaw(.error, at: node.position(in: file), "\(quoted(name)) is no name of a service account")
        }
        return IdentityTerm(trustDomain: naming.trustDomain, namespace: namespace, serviceAccount: name)
    }

    func namespace(_ name: String, at node: SourceNode) throws(SettingsFlaw) -> IdentityTerm {
        guard name.isName else {
            throw SettingsFlaw(.error, at: node.position(in: file), "\(quoted(name)) is no name of a namespace")
        }
        return IdentityTerm(trustDomain: naming.trustDomain, namespace: name, serviceAccount: nil)
    }

    /// All of the mesh, which has one trust domain.
    var everyone: IdentityTerm { IdentityTerm(trustDomain: naming.trustDomain) }

    private func partial(_ text: String, _ node: SourceNode) -> SettingsFlaw {
        SettingsFlaw(
            .error, at: node.position(in: file),
            "\(quoted(text)) is no identity of the mesh: expected "
                + "NAME.NAMESPACE.serviceaccount.\(naming.linkerdDomain), `*.` before NAMESPACE or what follows, or "
                + "`*`; another end is said with `--linkerd-domain`")
    }
}
