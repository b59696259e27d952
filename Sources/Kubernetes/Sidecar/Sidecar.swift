/// What is added to a pod.
struct Sidecar {
    let choices: PodChoices
    let version: String
    /// Nil where no probe is rewritten.
    let probes: ProbeRecord?
    /// As a Job's pod does: nobody else's calls are to be waited for.
    let endsByItself: Bool

    /// The user of the proxy, whose connections the rules exempt.
    static let user = "1337"
    /// Of the validator, which stands for any program: the rules must not exempt it.
    private static let programUser = "1338"
    static let adminPort = "15000"

    enum ContainerName {
        static let redirect = "postern-redirect"
        static let validate = "postern-validate"
        static let proxy = "postern-proxy"
        static let all = [redirect, validate, proxy]
    }

    enum VolumeName {
        static let identity = "postern-identity"
        static let settings = "postern-settings"
        static let run = "postern-run"
        static let all = [identity, settings, run]
    }

    var annotation: Value.Field { Value.Field(PodAnnotation.injected.name, .text(version)) }

    /// First the rules, then their proof, then the proxy: the pod's own init containers run behind it.
    var initContainers: [Value] {
        let proof = choices.skipsTrial == nil ? [validate] : []
        return switch choices.redirection {
        case .redirect: [redirect] + proof + [proxy]
        case .cni: proof + [proxy]
        case .none: [proxy]
        }
    }

    var volumes: [Value] {
        [
            .mapping([Value.Field("name", .text(VolumeName.identity)), identityVolume]),
            .mapping([
                Value.Field("name", .text(VolumeName.settings)),
                Value.Field("configMap", .mapping([Value.Field("name", .text(choices.settings))])),
            ]),
            .mapping([
                Value.Field("name", .text(VolumeName.run)),
                Value.Field(
                    "emptyDir",
                    .mapping([Value.Field("medium", .text("Memory")), Value.Field("sizeLimit", .text("1Mi"))])),
            ]),
        ]
    }

    /// Keys are in memory alone: a Secret's files too.
    private var identityVolume: Value.Field {
        switch choices.identity {
        case .csi:
            Value.Field(
                "csi",
                .mapping([Value.Field("driver", .text("csi.spiffe.io")), Value.Field("readOnly", .plain("true"))]))
        case .host:
            Value.Field(
                "hostPath",
                .mapping([
                    Value.Field("path", .text(Self.split(choices.identitySocket).folder)),
                    Value.Field("type", .text("Directory")),
                ]))
        case .podCertificate:
            Value.Field(
                "projected",
                .mapping([
                    Value.Field(
                        "sources",
                        .list([
                            .mapping([Value.Field("podCertificate", certificate)]),
                            .mapping([Value.Field("clusterTrustBundle", trustBundle)]),
                        ]))
                ]))
        case .secret:
            Value.Field("secret", .mapping([Value.Field("secretName", .text(choices.identitySecret ?? ""))]))
        }
    }

    /// One file with key and chain, which the kubelet replaces at once.
    private var certificate: Value {
        .mapping([
            Value.Field("signerName", .text(choices.identitySigner ?? "")),
            Value.Field("keyType", .text(choices.identityKeyType.rawValue)),
            Value.Field("credentialBundlePath", .text("credential-bundle.pem")),
        ])
    }

    private var trustBundle: Value {
        let path = Value.Field("path", .text("trust-bundle.pem"))
        if let name = choices.identityTrustBundle { return .mapping([Value.Field("name", .text(name)), path]) }
        // An empty selector is all of the signer; none at all is nothing.
        return .mapping([
            Value.Field("signerName", .text(choices.identitySigner ?? "")),
            Value.Field("labelSelector", .mapping([])), path,
        ])
    }

    private var redirect: Value {
        let fields: [Value.Field?] = [
            Value.Field("name", .text(ContainerName.redirect)),
            Value.Field("image", .text(choices.image)),
            Value.Field("args", .list(redirectArguments.map { .text($0) })),
            // The settings need not name an identity where this is set, and are read here too.
            Self.environment(socketVariable),
            Value.Field(
                "securityContext",
                .mapping([
                    Value.Field("runAsUser", .plain("0")),
                    Value.Field("runAsGroup", .plain("0")),
                    Value.Field("runAsNonRoot", .plain("false")),
                    Value.Field("privileged", .plain("false")),
                    Value.Field("allowPrivilegeEscalation", .plain("false")),
                    Value.Field("readOnlyRootFilesystem", .plain("true")),
                    Value.Field(
                        "capabilities",
                        .mapping([
                            Value.Field("drop", .list([.text("ALL")])),
                            Value.Field("add", .list([.text("NET_ADMIN"), .text("NET_RAW")])),
                        ])),
                    Self.seccomp,
                ])),
            briefResources,
            Value.Field("volumeMounts", .list([Self.mount(VolumeName.settings, at: Self.settingsFolder)])),
        ]
        return .mapping(fields.compactMap(\.self))
    }

    /// Proves before the proxy starts that the rules work.
    private var validate: Value {
        let fields: [Value.Field?] = [
            Value.Field("name", .text(ContainerName.validate)),
            Value.Field("image", .text(choices.image)),
            Value.Field(
                "args",
                .list(["validate", "--config", Self.settingsFile, "--user", Self.user].map { .text($0) })),
            Self.environment(socketVariable),
            Self.unprivileged(Self.programUser),
            briefResources,
            Value.Field("volumeMounts", .list([Self.mount(VolumeName.settings, at: Self.settingsFolder)])),
        ]
        return .mapping(fields.compactMap(\.self))
    }

    private var redirectArguments: [String] {
        var arguments = ["redirect", "--apply", "--config", Self.settingsFile, "--user", Self.user]
        for (option, value) in [
            ("--skip-inbound-ports", choices.skippedInboundPorts),
            ("--skip-outbound-ports", choices.skippedOutboundPorts),
            ("--skip-outbound-addresses", choices.skippedOutboundAddresses),
        ] {
            if let value { arguments += [option, value] }
        }
        return arguments
    }

    private var proxy: Value {
        let fields: [Value.Field?] = [
            Value.Field("name", .text(ContainerName.proxy)),
            Value.Field("image", .text(choices.image)),
            // A native sidecar: it starts before the containers and ends after them.
            Value.Field("restartPolicy", .text("Always")),
            Value.Field("args", .list(runArguments.map { .text($0) })),
            Self.environment(socketVariable + (probes?.environment ?? [])),
            Self.probe("startupProbe", "/readyz", seconds: "1", failures: "120"),
            Self.probe("readinessProbe", "/readyz", seconds: "5", failures: "3"),
            Self.probe("livenessProbe", "/livez", seconds: "10", failures: "3"),
            Self.unprivileged(Self.user, seccomp: proxySeccomp),
            resources,
            Value.Field(
                "volumeMounts",
                .list([
                    Self.mount(VolumeName.settings, at: Self.settingsFolder),
                    Self.mount(VolumeName.identity, at: identityFolder),
                    // For the admin endpoint's Unix socket.
                    Self.mount(VolumeName.run, at: Self.runFolder, isReadOnly: false),
                ])),
        ]
        return .mapping(fields.compactMap(\.self))
    }

    private var runArguments: [String] {
        var arguments = ["run", "--config", Self.settingsFile]
        arguments += ["--drain-delay", drainDelay]
        if let timeout = choices.drainTimeout { arguments += ["--drain-timeout", timeout] }
        return arguments
    }

    var drainDelay: String { choices.drainDelay ?? (endsByItself ? "0s" : "5s") }

    private var socketVariable: [Value] {
        let name: String
        switch choices.identity {
        case .csi: name = "spire-agent.sock"
        case .host: name = Self.split(choices.identitySocket).name
        case .podCertificate, .secret: return []
        }
        return [
            .mapping([
                Value.Field("name", .text("SPIFFE_ENDPOINT_SOCKET")),
                Value.Field("value", .text("unix://\(identityFolder)/\(name)")),
            ])
        ]
    }

    private var identityFolder: String {
        switch choices.identity {
        case .csi, .host: "/spiffe-workload-api"
        case .podCertificate, .secret: "/postern-identity"
        }
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    private static func environment(_ variables: [Value]) -> Value.Field? {
        variables.isEmpty ? nil : Value.Field("env", .list(variables))
    }

    /// Of the containers that end at once. Where a quota wants a CPU limit, they have the proxy's.
    private var briefResources: Value.Field {
        var (requests, limits) = ([Value.Field("memory", .text("32Mi"))], [Value.Field("memory", .text("64Mi"))])
        if let limit = choices.resources.limits.cpu {
            limits.insert(Value.Field("cpu", .text(limit.text)), at: 0)
        } else {
            requests.insert(Value.Field("cpu", .text("10m")), at: 0)
        }
        return Value.Field(
            "resources",
            .mapping([Value.Field("requests", .mapping(requests)), Value.Field("limits", .mapping(limits))]))
    }

    private static func unprivileged(_ user: String, seccomp: Value.Field = Self.seccomp) -> Value.Field {
        Value.Field(
            "securityContext",
            .mapping([
                Value.Field("runAsUser", .plain(user)),
                Value.Field("runAsGroup", .plain(user)),
                Value.Field("runAsNonRoot", .plain("true")),
                Value.Field("privileged", .plain("false")),
                Value.Field("allowPrivilegeEscalation", .plain("false")),
                Value.Field("readOnlyRootFilesystem", .plain("true")),
                Value.Field("capabilities", .mapping([Value.Field("drop", .list([.text("ALL")]))])),
                seccomp,
            ]))
    }

    private var resources: Value.Field {
        let (requests, chosen) = (choices.resources.requests, choices.resources.limits)
        var limits = [Value.Field("memory", .text(chosen.memory.text))]
        if let limit = chosen.cpu { limits.insert(Value.Field("cpu", .text(limit.text)), at: 0) }
        return Value.Field(
            "resources",
            .mapping([
                Value.Field(
                    "requests",
                    .mapping([
                        Value.Field("cpu", .text(requests.cpu.text)),
                        Value.Field("memory", .text(requests.memory.text)),
                    ])),
                Value.Field("limits", .mapping(limits)),
            ]))
    }

    private static func probe(_ kind: String, _ path: String, seconds: String, failures: String) -> Value.Field {
        Value.Field(
            kind,
            .mapping([
                Value.Field(
                    "httpGet",
                    .mapping([Value.Field("path", .text(path)), Value.Field("port", .plain(adminPort))])),
                Value.Field("periodSeconds", .plain(seconds)),
                Value.Field("timeoutSeconds", .plain("3")),
                Value.Field("failureThreshold", .plain(failures)),
            ]))
    }

    private static func mount(_ volume: String, at folder: String, isReadOnly: Bool = true) -> Value {
        let fields = [Value.Field("name", .text(volume)), Value.Field("mountPath", .text(folder))]
        return .mapping(isReadOnly ? fields + [Value.Field("readOnly", .plain("true"))] : fields)
    }

    /// The rules' and the validator's stays RuntimeDefault: what they call is not in the proxy's.
    private var proxySeccomp: Value.Field {
        guard let path = choices.seccompProfile else { return Self.seccomp }
        return Value.Field(
            "seccompProfile",
            .mapping([Value.Field("type", .text("Localhost")), Value.Field("localhostProfile", .text(path))]))
    }

    private static let seccomp = Value.Field(
        "seccompProfile", .mapping([Value.Field("type", .text("RuntimeDefault"))]))
    private static let settingsFolder = "/etc/postern"
    private static let settingsFile = "/etc/postern/postern.yaml"
    private static let runFolder = "/run/postern"
}
