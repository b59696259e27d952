public import Identity

/// The positions of the values of a settings file, except for policies.
public struct SourceMap: Sendable {
    /// Nil if the file could not be read.
    private let root: Node?
    private let file: String

    fileprivate init(whole root: Node?, file: String) {
        self.root = root
        self.file = file
    }

    init(_ root: Node?, file: String) {
        var root = root
        if case .mapping(var mapping) = root?.content {
            // Policies may be long, and none of their values can turn out to be flawed later.
            mapping.entries.removeAll { $0.key == RootKeys.policies.name }
            root?.content = .mapping(mapping)
        }
        self.root = root
        self.file = file
    }

    /// A step from a value to one inside it.
    enum Step {
        case name(String)
        case item(Int)

        static func key(_ key: some NamedKey) -> Step { .name(key.name) }
    }

    /// The position of a value, or of the innermost value that would contain it.
    subscript(path: Step...) -> Position { position(path) }

    private func position(_ path: [Step]) -> Position {
        guard var node = root else { return Position(file: file, line: 1, column: 1) }
        for step in path {
            guard let inner = node.value(at: step) else { break }
            node = inner
        }
        return node.position
    }
}

/// The positions of policies and their rules. It holds all of the file.
public struct PolicySources: Sendable {
    private let sources: SourceMap

    init(_ root: Node?, file: String) { sources = SourceMap(whole: root, file: file) }

    public func policy(_ name: String) -> Position { sources[.key(RootKeys.policies), .name(name)] }

    /// Rules count from 0.
    public func rule(_ index: Int, of policy: String) -> Position {
        sources[.key(RootKeys.policies), .name(policy), .key(PolicyKeys.rules), .item(index)]
    }
}

extension Node {
    fileprivate func value(at step: SourceMap.Step) -> Node? {
        switch (step, content) {
        case (.name(let name), .mapping(let mapping)): mapping.entries.first { $0.key == name }?.value
        case (.item(let index), .sequence(let items)): items.indices.contains(index) ? items[index] : nil
        default: nil
        }
    }
}

/// The values that can turn out to be flawed after the file has been read.
extension SourceMap {
    public var certificate: Position {
        self[.key(RootKeys.identity), .key(IdentityKeys.files), .key(FileKeys.certificate)]
    }

    /// That of the certificate where no other file is named.
    public var privateKey: Position {
        let files = [Step.key(RootKeys.identity), .key(IdentityKeys.files)]
        let own = position(files + [.key(FileKeys.privateKey)])
        return own == position(files) ? certificate : own
    }

    public func trustBundle(of trustDomain: TrustDomain) -> Position {
        self[
            .key(RootKeys.identity), .key(IdentityKeys.files), .key(FileKeys.trustBundles), .name(trustDomain.name)]
    }

    public func revocationList(of trustDomain: TrustDomain) -> Position {
        self[.key(RootKeys.identity), .key(IdentityKeys.revocationLists), .name(trustDomain.name)]
    }

    /// Groups count from 0.
    public func keyExchange(_ index: Int) -> Position {
        self[.name(TLSKeys.name), .key(TLSKeys.keyExchange), .item(index)]
    }

    public var keyExchange: Position { self[.name(TLSKeys.name), .key(TLSKeys.keyExchange)] }

    public var fips: Position { self[.name(TLSKeys.name), .key(TLSKeys.fips)] }

    public var adminBind: Position { self[.key(RootKeys.admin), .key(AdminKeys.bind)] }

    public var adminSocket: Position {
        self[.key(RootKeys.admin), .key(AdminKeys.socket), .key(AdminSocketKeys.path)]
    }

    public var mark: Position { self[.key(RootKeys.mark)] }

    public func transparent(ofListener index: Int) -> Position {
        self[.key(RootKeys.listeners), .item(index), .key(ListenerKeys.transparent)]
    }

    public var accessLog: Position { self[.key(RootKeys.accessLog)] }

    public var listeners: Position { self[.key(RootKeys.listeners)] }

    /// Listeners, routes and endpoints count from 0, as they do in `Settings`.
    public func bind(ofListener index: Int) -> Position {
        self[.key(RootKeys.listeners), .item(index), .key(ListenerKeys.bind)]
    }

    public func endpoint(_ index: Int, ofRoute route: Int, ofListener listener: Int) -> Position {
        self[
            .key(RootKeys.listeners), .item(listener), .key(ListenerKeys.routes), .item(route),
            .key(RouteKeys.upstream), .key(UpstreamKeys.endpoints), .item(index)]
    }

    public func destinations(ofRoute route: Int, ofListener listener: Int) -> Position {
        self[
            .key(RootKeys.listeners), .item(listener), .key(ListenerKeys.routes), .item(route),
            .key(RouteKeys.match), .key(MatchKeys.destinations)]
    }

    public func upstream(ofRoute route: Int, ofListener listener: Int) -> Position {
        self[
            .key(RootKeys.listeners), .item(listener), .key(ListenerKeys.routes), .item(route),
            .key(RouteKeys.upstream)]
    }

    public func policy(ofRoute route: Int, ofListener listener: Int) -> Position {
        self[
            .key(RootKeys.listeners), .item(listener), .key(ListenerKeys.routes), .item(route),
            .key(RouteKeys.policy)]
    }

    public func clientCertificates(ofListener index: Int) -> Position {
        self[.key(RootKeys.listeners), .item(index), .key(ListenerKeys.clientCertificates)]
    }

    /// The URL of a trust domain's bundle endpoint.
    func bundleURL(of trustDomain: TrustDomain) -> Position {
        self[
            .key(RootKeys.identity), .key(IdentityKeys.federation), .name(trustDomain.name), .key(FederationKeys.url)]
    }
}
