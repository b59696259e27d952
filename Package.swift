// swift-tools-version:6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

/// A module of the proxy. Dependencies point down only; the Architecture page has the table.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

/// A target shared by tests and benchmarks.
func support(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Tests/Support/\(name)", swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// The commit for `postern --version`. Scripts set it, because SwiftPM caches its git information across commits.
let buildInfo: [CSetting] =
    Context.environment["POSTERN_COMMIT"].map { [.define("POSTERN_COMMIT", to: "\"\($0)\"")] } ?? []

let package = Package(
    name: "postern",
    products: [
        .executable(name: "postern", targets: ["postern"]),
        .executable(name: "postern-injector", targets: ["postern-injector"]),
        .executable(name: "postern-controller", targets: ["postern-controller"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        // System libraries: one module map and one shim header each.
        .systemLibrary(name: "CLibURing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CLibEvent", pkgConfig: "libevent", providers: [.apt(["libevent-dev"])]),
        .systemLibrary(
            name: "CLibEventOpenSSL", pkgConfig: "libevent_openssl", providers: [.apt(["libevent-dev"])]),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),

        // Operating-system services that several modules share; uses only Glibc.
        module("System"),

        // Pure: no C, no clock, no errno.
        module("Identity"),
        module("Policy", ["Identity"]),
        module("PolicyAnalysis", ["Identity", "Policy"]),
        module("Telemetry"),
        module("ProxyProtocol", ["Policy"]),
        module("Resolution", ["Policy"]),
        module("Balancing"),

        // The rules of a firewall for transparent listeners.
        module("Redirection", ["Policy", "Settings"]),

        // One module per system library.
        module("Settings", ["CLibYAML", "Identity", "Policy", "System", "Telemetry"]),
        module("Crypto", ["COpenSSL"]),
        module("SVID", ["Crypto", "Identity", "System", "Telemetry"]),
        module("TLS", ["COpenSSL", "Crypto", "SVID", "Identity", "System"]),
        module("EventLoop", ["CLibURing", "System"]),
        module("WorkloadAPI", ["CNghttp2", "Identity"]),
        module("HTTP"),
        module("KubernetesAPI", ["HTTP", "System", "TLS"]),
        module("Federation"),
        module(
            "Kubernetes", ["Policy", "Redirection", "Settings"],
            // In the program, so that it needs no files beside it.
            resources: [.embedInCode("Chart"), .embedInCode("Installation/enrolment.yaml")]),
        module("ApplicationHealth"),
        module("Authority", ["Crypto", "Identity", "System", "Telemetry"]),

        module(
            "DataPlane",
            [
                "Balancing", "EventLoop", "TLS", "SVID", "Settings", "Policy", "Identity", "ProxyProtocol",
                "Resolution", "System", "Telemetry",
            ]),
        module("Load", ["EventLoop", "TLS", "SVID", "Identity", "System", "Telemetry"]),
        module(
            "Control",
            [
                "ApplicationHealth", "CAres", "CLibEvent", "DataPlane", "EventLoop", "HTTP", "Settings", "TLS", "SVID",
                "Crypto", "WorkloadAPI",
                "Federation", "Policy", "PolicyAnalysis", "Identity", "Resolution", "System", "Telemetry", logging,
            ]),
        // Policies of a cluster as settings of its workloads.
        module(
            "PolicyController", ["Control", "KubernetesAPI", "Policy", "Settings", "System", "Telemetry", logging]),
        .target(name: "CBuildInfo", cSettings: buildInfo),
        module("Commands", ["CBuildInfo", "Kubernetes", "Settings", "System", "TLS", argumentParser, logging]),
        module(
            "Injector",
            [
                "Authority", "CLibEvent", "CLibEventOpenSSL", "Control", "Crypto", "Identity", "Kubernetes",
                "KubernetesAPI", "Settings", "System", "TLS", "Telemetry", logging,
            ]),
        .executableTarget(
            name: "postern-injector",
            dependencies: [
                "Commands", "Control", "Injector", "Kubernetes", "KubernetesAPI", "Settings", "System", argumentParser,
                logging,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "postern-controller",
            dependencies: [
                "Commands", "Control", "KubernetesAPI", "PolicyController", "Settings", "System", "Telemetry",
                argumentParser, logging,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "postern",
            dependencies: [
                "ApplicationHealth", "Commands", "Control", "Crypto", "DataPlane", "Settings", "TLS", "SVID", "Policy",
                "PolicyAnalysis", "Identity", "Telemetry", "Authority", "EventLoop", "Kubernetes", "Load",
                "Redirection", "System", argumentParser, logging,
            ],
            swiftSettings: strict
        ),

        // Counts a thread's heap allocations, for tests that assert there are none.
        .target(name: "CAllocationCount", path: "Tests/Support/CAllocationCount"),
        // Seeded random numbers, folders, threads, waiting, and the documented example settings.
        support("PosternTesting", ["System"]),
        // Both ends of a TLS connection, and their identities.
        support("TLSTesting", ["PosternTesting", "Authority", "Identity", "System", "SVID", "TLS"]),
        // Sockets, child processes and peers on the loopback interface, for end-to-end tests and benchmarks.
        .systemLibrary(name: "CLoopback", path: "Tests/Support/CLoopback"),
        support("Loopback", ["PosternTesting", "CLoopback", "System"]),

        // A Kubernetes API server in Python.
        .target(
            name: "KubernetesMock", dependencies: ["Authority", "KubernetesAPI", "PosternTesting", "Loopback"],
            path: "Tests/Support/KubernetesMock", resources: [.copy("kubernetes_api.py")], swiftSettings: strict),
        // Kubernetes manifests as charts and people write them.
        support("ManifestTesting", []),

        tests("SystemTests", ["System", "PosternTesting"]),
        tests("IdentityTests", ["Identity", "PosternTesting"], resources: [.copy("Resources/spiffe_ids.json")]),
        tests("PolicyAnalysisTests", ["PolicyAnalysis", "Policy", "Identity"]),
        tests("PolicyTests", ["Policy", "Identity", "PosternTesting", "CAllocationCount"]),
        tests(
            "SettingsTests", ["Settings", "Policy", "Identity", "PosternTesting"],
            resources: [.copy("Resources/endpoint_sockets.json")]),
        tests("ApplicationHealthTests", ["ApplicationHealth"]),
        tests("FederationTests", ["Federation"], resources: [.copy("Resources/spiffe_bundles.json")]),
        tests("ProxyProtocolTests", ["ProxyProtocol", "Policy"]),
        tests("ResolutionTests", ["Resolution", "Policy"]),
        tests("RedirectionTests", ["Redirection", "Policy", "Settings"]),
        tests(
            "KubernetesTests",
            ["Kubernetes", "ApplicationHealth", "Identity", "Policy", "Settings", "PosternTesting", "ManifestTesting"]),
        tests("InjectorTests", ["Authority", "Control", "Injector", "KubernetesAPI"]),
        tests("PolicyControllerTests", ["PolicyController", "KubernetesAPI", "Policy", "Settings", "PosternTesting"]),
        tests("HTTPTests", ["HTTP"]),
        tests("KubernetesAPITests", ["KubernetesAPI", "KubernetesMock", "PosternTesting"]),
        tests("BalancingTests", ["Balancing", "PosternTesting"]),
        tests("WorkloadAPITests", ["WorkloadAPI", "Identity", "PosternTesting"]),
        tests("TelemetryTests", ["Telemetry", "PosternTesting"]),
        tests(
            "EventLoopTests", ["EventLoop", "System", "PosternTesting", "CLibURing", "CLoopback", "CAllocationCount"]),
        tests(
            "TLSTests",
            [
                "TLS", "SVID", "Crypto", "Authority", "Identity", "System", "PosternTesting", "TLSTesting", "COpenSSL",
                "CAllocationCount",
            ]),
        tests(
            "DataPlaneTests",
            [
                "DataPlane", "Balancing", "EventLoop", "TLS", "SVID", "Crypto", "Authority", "Settings", "Policy",
                "Identity",
                "Resolution", "System", "Telemetry", "PosternTesting", "TLSTesting",
            ]),
        tests(
            "LoadTests",
            ["Load", "EventLoop", "System", "TLS", "SVID", "Telemetry", "PosternTesting", "CAllocationCount"]),
        tests(
            "ControlTests",
            [
                "Control", "DataPlane", "Settings", "TLS", "SVID", "Crypto", "Authority", "Telemetry", "Policy",
                "Identity", "System", "PosternTesting", logging,
            ]),
        tests(
            "EndToEnd",
            [
                "Authority", "Identity", "KubernetesAPI", "KubernetesMock", "ManifestTesting", "PosternTesting",
                "Loopback",
            ],
            resources: [
                .copy("Peers/workload_api.py"), .copy("Peers/proxy_application.py"), .copy("Peers/network_peer.py"),
                .copy("Peers/manifest_check.py"), .copy("Peers/chart_check.py"), .copy("Peers/admission_check.py"),
                .copy("Peers/injector_check.py"), .copy("Peers/metrics_check.py"),
                .copy("Peers/self_managed_check.py"),
                .copy("Peers/health_server.py"),
                .copy("Peers/http_application.py"), .copy("Peers/socket_activation.py"),
            ]),

        .executableTarget(
            name: "postern-bench",
            dependencies: [
                "BenchFigures", "Callgrind", "Loopback", "PosternTesting", "Authority", "Identity", "System",
                "Telemetry",
                argumentParser,
            ],
            path: "Benchmarks/PosternBench", swiftSettings: strict),
        .target(name: "Callgrind", path: "Benchmarks/Callgrind", swiftSettings: strict),
        .target(
            name: "BenchFigures", dependencies: ["Telemetry"], path: "Benchmarks/BenchFigures", swiftSettings: strict),
        tests("BenchTests", ["BenchFigures", "PosternTesting", "postern-bench", "postern"]),

        // Instructions, allocations and time of single operations; the gate compares them with recorded counts.
        .target(name: "MicroBenchGate", path: "Benchmarks/MicroBenchGate", swiftSettings: strict),
        .executableTarget(
            name: "postern-microbench",
            dependencies: [
                "MicroBenchGate", "Callgrind", "TLS", "SVID", "Crypto", "Policy", "Identity", "EventLoop", "Authority",
                "System", "TLSTesting", "CAllocationCount", argumentParser,
            ],
            path: "Benchmarks/MicroBench", exclude: ["thresholds.txt"], swiftSettings: strict),
        tests("MicroBenchGateTests", ["MicroBenchGate"]),
        tests("CallgrindTests", ["Callgrind"]),
    ],
    swiftLanguageModes: [.v6]
)
