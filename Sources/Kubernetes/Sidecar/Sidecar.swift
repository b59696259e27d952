/// What is added to a pod.
struct Sidecar {
    let choices: PodChoices
    let version: String

    /// The user of the proxy, whose connections the rules exempt.
    static let user = "1337"
    static let adminPort = "15000"

    enum ContainerName {
        static let redirect = "postern-redirect"
        static let proxy = "postern-proxy"
        static let all = [redirect, proxy]
    }

    enum VolumeName {
        static let identity = "postern-identity"
        static let settings = "postern-settings"
        static let all = [identity, settings]
    }

    var annotation: Value.Field { Value.Field(PodAnnotation.injected.name, .text(version)) }

    /// First the rules, then the proxy: the pod's own init containers run behind it.
    var initContainers: [Value] { choices.installsRules ? [redirect, proxy] : [proxy] }

    var volumes: [Value] {
        [
            .mapping([
                Value.Field("name", .text(VolumeName.identity)),
                Value.Field(
                    "csi",
                    .mapping([
                        Value.Field("driver", .text("csi.spiffe.io")), Value.Field("readOnly", .plain("true")),
                    ])),
            ]),
            .mapping([
                Value.Field("name", .text(VolumeName.settings)),
                Value.Field("configMap", .mapping([Value.Field("name", .text(choices.settings))])),
            ]),
        ]
    }

    private var redirect: Value {
        .mapping([
            Value.Field("name", .text(ContainerName.redirect)),
            Value.Field("image", .text(choices.image)),
            Value.Field("args", .list(redirectArguments.map { .text($0) })),
            // The settings need not name an identity where this is set, and are read here too.
            environment,
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
            Value.Field(
                "resources",
                .mapping([
                    Value.Field(
                        "requests",
                        .mapping([Value.Field("cpu", .text("10m")), Value.Field("memory", .text("32Mi"))])),
                    Value.Field("limits", .mapping([Value.Field("memory", .text("64Mi"))])),
                ])),
            Value.Field("volumeMounts", .list([Self.mount(VolumeName.settings, at: Self.settingsFolder)])),
        ])
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
        .mapping([
            Value.Field("name", .text(ContainerName.proxy)),
            Value.Field("image", .text(choices.image)),
            // A native sidecar: it starts before the containers and ends after them.
            Value.Field("restartPolicy", .text("Always")),
            Value.Field("args", .list([.text("run"), .text("--config"), .text(Self.settingsFile)])),
            environment,
            Self.probe("startupProbe", "/readyz", seconds: "1", failures: "120"),
            Self.probe("readinessProbe", "/readyz", seconds: "5", failures: "3"),
            Self.probe("livenessProbe", "/livez", seconds: "10", failures: "3"),
            Value.Field(
                "securityContext",
                .mapping([
                    Value.Field("runAsUser", .plain(Self.user)),
                    Value.Field("runAsGroup", .plain(Self.user)),
                    Value.Field("runAsNonRoot", .plain("true")),
                    Value.Field("privileged", .plain("false")),
                    Value.Field("allowPrivilegeEscalation", .plain("false")),
                    Value.Field("readOnlyRootFilesystem", .plain("true")),
                    Value.Field("capabilities", .mapping([Value.Field("drop", .list([.text("ALL")]))])),
                    Self.seccomp,
                ])),
            resources,
            Value.Field(
                "volumeMounts",
                .list([
                    Self.mount(VolumeName.settings, at: Self.settingsFolder),
                    Self.mount(VolumeName.identity, at: Self.identityFolder),
                ])),
        ])
    }

    private var environment: Value.Field {
        Value.Field(
            "env",
            .list([
                .mapping([
                    Value.Field("name", .text("SPIFFE_ENDPOINT_SOCKET")),
                    Value.Field("value", .text("unix://\(Self.identityFolder)/spire-agent.sock")),
                ])
            ]))
    }

    private var resources: Value.Field {
        var limits = [Value.Field("memory", .text(choices.memoryLimit))]
        if let limit = choices.cpuLimit { limits.insert(Value.Field("cpu", .text(limit)), at: 0) }
        return Value.Field(
            "resources",
            .mapping([
                Value.Field(
                    "requests",
                    .mapping([
                        Value.Field("cpu", .text(choices.cpuRequest)),
                        Value.Field("memory", .text(choices.memoryRequest)),
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

    private static func mount(_ volume: String, at folder: String) -> Value {
        .mapping([
            Value.Field("name", .text(volume)), Value.Field("mountPath", .text(folder)),
            Value.Field("readOnly", .plain("true")),
        ])
    }

    private static let seccomp = Value.Field(
        "seccompProfile", .mapping([Value.Field("type", .text("RuntimeDefault"))]))
    private static let settingsFolder = "/etc/postern"
    private static let settingsFile = "/etc/postern/postern.yaml"
    private static let identityFolder = "/spiffe-workload-api"
}
