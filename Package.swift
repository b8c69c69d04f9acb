// swift-tools-version: 6.1
import PackageDescription

// The house, downward: a module may import only what stands in its list here and in the table of docs/architecture.md,
// which a test holds against the sources.

/// Debug Swift is an order of magnitude slower on the hot paths, and the seeded suites need the speed.
let hot: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// What a process keeps resident: no symbols exported for nobody, relocations packed (glibc 2.36 or later reads them), equal functions once.
/// It stays position-independent with full RELRO.
let slim: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-use-ld=lld", "-Xlinker", "--no-export-dynamic", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
            "-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now", "-Xlinker", "--icf=safe",
        ], .when(platforms: [.linux], configuration: .release))
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "millrace",
    products: [
        .executable(name: "millrace", targets: ["millrace"]),
        .executable(name: "millrace-agent", targets: ["millrace-agent"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // C shims and system libraries
        .target(name: "CMillrace", cSettings: [.unsafeFlags(["-O2"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CSnappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(name: "CPcre2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(name: "CMaxMindDB", pkgConfig: "libmaxminddb", providers: [.apt(["libmaxminddb-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),

        // Ground floor
        .target(name: "Base", dependencies: ["CMillrace", systemPackage, deque], swiftSettings: hot),
        .target(name: "Settings", dependencies: ["Base", "CYaml"]),
        .target(name: "Telemetry", dependencies: ["Base", logging, metrics, nioHTTP1, nioPosix]),

        // The log and the wire
        .target(
            name: "Records",
            dependencies: ["Base", "CMillrace", "CZlib", "CDeflate", "CZstd", "CLZ4", "CSnappy", nioCore],
            swiftSettings: hot),
        .target(
            name: "LogStorage", dependencies: ["Base", "Records", nioCore, systemPackage],
            swiftSettings: hot),
        .target(name: "KafkaWire", dependencies: ["Base", nioCore], swiftSettings: hot),
        .target(name: "GroupCoordination", dependencies: ["Base", "KafkaWire", nioCore]),
        .target(name: "KafkaConnection", dependencies: ["Base", "KafkaWire", "Telemetry", nioCore, nioPosix]),
        .target(
            name: "KafkaClient",
            dependencies: ["Base", "KafkaConnection", "KafkaWire", "Records", "Telemetry", nioCore, nioPosix, deque]),
        .target(
            name: "Broker",
            dependencies: [
                "Base", "KafkaConnection", "KafkaWire", "GroupCoordination", "LogStorage", "Records", "Settings",
                "Sasl", "SecuritySettings", "Telemetry", nioPosix,
            ]),

        // Security: only the commands import the library that encrypts, and only the broker and they the one that hashes
        .target(name: "Sasl", dependencies: ["KafkaConnection", crypto]),
        .target(name: "SecuritySettings", dependencies: ["KafkaConnection", "Settings"]),
        .target(
            name: "TransportSecurity",
            dependencies: ["Base", "KafkaConnection", nioCore, nioSSL, nioTLS, systemPackage]),

        // Events, agent, exports
        .target(name: "Events", dependencies: ["Base", "Settings"], swiftSettings: hot),
        .target(
            name: "Agent",
            dependencies: [
                "Base", "KafkaClient", "KafkaWire", "Records", "Events", "SecuritySettings", "Settings", "Telemetry",
                "CSystemd", "CZlib", nioCore, nioPosix, deque, systemPackage,
            ]),
        .target(
            name: "Exports",
            dependencies: [
                "Base", "Events", "Records", "Telemetry", "CZlib", "CZstd", systemPackage, deque, logging,
            ],
            swiftSettings: hot),
        .target(
            name: "RemoteStores",
            dependencies: [
                "Base", "Events", "Exports", "CExpat", systemPackage, nioCore, nioPosix, nioSSL, asyncHTTPClient,
                crypto,
            ]),
        .target(
            name: "Pipelines",
            dependencies: [
                "Base", "Exports", "RemoteStores", "Events", "KafkaClient", "KafkaConnection", "Records",
                "SecuritySettings", "Settings", "Telemetry", "CPcre2", "CMaxMindDB", deque, crypto,
            ]),

        .target(
            name: "Console",
            dependencies: [
                "Base", "Events", "KafkaClient", "KafkaConnection", "Records", "Telemetry", nioCore, nioPosix, nioHTTP1,
            ], exclude: ["Assets"]),

        // Commands: the only places that wire modules together
        .target(
            name: "AgentCommands",
            dependencies: [
                "Base", "Agent", "KafkaClient", "Sasl", "SecuritySettings", "Settings", "Telemetry",
                "TransportSecurity",
                argumentParser, serviceLifecycle, unixSignals,
            ]),
        .target(
            name: "MillraceCLI",
            dependencies: [
                "AgentCommands", "Broker", "Console", "Pipelines", "RemoteStores", "Sasl", "TransportSecurity",
                argumentParser,
                serviceLifecycle, unixSignals, histogram,
            ]),
        .executableTarget(name: "millrace", dependencies: ["AgentCommands", "MillraceCLI"], linkerSettings: slim),
        .executableTarget(name: "millrace-agent", dependencies: ["AgentCommands"], linkerSettings: slim),
        .executableTarget(
            name: "LogBenchmark",
            dependencies: ["LogStorage", "Records", "Base", "CMillrace", argumentParser, nioCore, systemPackage],
            path: "Benchmarks/log"),
        .target(name: "WireSchema"),
        .executableTarget(name: "WireGenerator", dependencies: ["WireSchema"]),

        // Tests mirror the modules
        .target(name: "TestKit", dependencies: ["Base", systemPackage], path: "Tests/TestKit", swiftSettings: hot),
        .testTarget(
            name: "KafkaWireTests", dependencies: ["KafkaWire", "WireSchema", "Base", "TestKit", nioCore],
            exclude: ["Fixtures"], swiftSettings: hot),
        .testTarget(
            name: "LogStorageTests",
            dependencies: ["LogStorage", "Records", "Base", "TestKit", nioCore, systemPackage], swiftSettings: hot),
        .testTarget(name: "TestKitTests", dependencies: ["TestKit", "Base", systemPackage]),

        .testTarget(name: "BaseTests", dependencies: ["Base", "TestKit", systemPackage]),

        .testTarget(name: "SettingsTests", dependencies: ["Settings", "Base", systemPackage]),

        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry", "Base"]),

        .testTarget(
            name: "GroupCoordinationTests",
            dependencies: ["GroupCoordination", "Base", "KafkaWire", "TestKit", nioCore]),
        .testTarget(name: "EventsTests", dependencies: ["Events", "Base", "TestKit"]),
        .target(
            name: "ExportTestKit", dependencies: ["Exports", "Events", "Base", "CZlib", "TestKit"],
            path: "Tests/ExportTestKit"),
        .testTarget(
            name: "ExportsTests",
            dependencies: [
                "Exports", "Events", "Records", "Base", "Telemetry", "CZlib", "ExportTestKit", "TestKit", nioCore,
                systemPackage,
            ]),
        .testTarget(
            name: "RemoteStoresTests",
            dependencies: [
                "RemoteStores", "Exports", "Events", "Base", "ExportTestKit", "TestKit", systemPackage,
            ]),

        .testTarget(
            name: "PipelinesTests",
            dependencies: [
                "Pipelines", "Exports", "Events", "BrokerTestKit", "TestKit", "KafkaClient", "KafkaConnection",
                "KafkaWire",
                "Records", "Settings", "Telemetry", "Broker", "Base", "CZlib", nioCore, nioPosix, systemPackage,
            ]),

        .testTarget(
            name: "CommandTests",
            dependencies: [
                "AgentCommands", "MillraceCLI", "Console", "Pipelines", "Settings", "Telemetry", "Base",
                serviceLifecycle,
            ]),

        .testTarget(name: "HouseTests"),
        .testTarget(
            name: "ConsoleTests",
            dependencies: [
                "Console", "BrokerTestKit", "KafkaClient", "KafkaConnection", "Events", "Records", "Base", "Telemetry",
                nioCore, nioHTTP1, nioPosix,
            ]),
        .target(
            name: "BrokerTestKit", dependencies: ["Broker", "Telemetry", "TestKit", systemPackage, nioPosix, logging],
            path: "Tests/BrokerTestKit"),
        .testTarget(name: "SaslTests", dependencies: ["Sasl", "KafkaConnection"]),
        .testTarget(
            name: "TransportSecurityTests",
            dependencies: [
                "TransportSecurity", "Sasl", "BrokerTestKit", "Broker", "KafkaClient", "KafkaConnection", "KafkaWire",
                "Records",
                "TestKit", "Base", nioCore, nioPosix, systemPackage,
            ], exclude: ["Fixtures"]),
        .testTarget(name: "BrokerTests", dependencies: ["Broker", "BrokerTestKit", "TestKit", systemPackage]),
        .testTarget(
            name: "RecordsTests", dependencies: ["Records", "Base", "CMillrace", "CSnappy", "TestKit", nioCore],
            exclude: ["Fixtures"], swiftSettings: hot),
        .testTarget(name: "ProducerTests", dependencies: ["KafkaClient", "KafkaWire", "Base", "TestKit"]),
        // The child process of the journal's tests: what `millrace-agent journal-reader` is.
        .executableTarget(name: "JournalReaderTool", dependencies: ["Agent"], path: "Tests/JournalReaderTool"),
        .testTarget(
            name: "AgentTests",
            dependencies: [
                "JournalReaderTool", "Agent", "Settings", "KafkaClient", "KafkaWire", "Records", "Base", "TestKit",
                "CZlib", nioCore, systemPackage,
            ]),
        .testTarget(
            name: "ShippingTests",
            dependencies: [
                "Agent", "BrokerTestKit", "KafkaClient", "Records", "Telemetry", "Base", "TestKit", nioPosix,
                systemPackage,
            ]),
        .testTarget(
            name: "KafkaConnectionTests",
            dependencies: [
                "KafkaConnection", "KafkaWire", "Telemetry", "Base", "TestKit", nioCore, nioEmbedded, nioPosix,
                systemPackage,
            ]),
        .testTarget(
            name: "KafkaClientTests",
            dependencies: [
                "KafkaClient", "KafkaConnection", "KafkaWire", "Records", "Telemetry", "Base", "BrokerTestKit",
                "TestKit",
                nioCore, nioPosix,
            ]),
        // Everything together, in virtual time
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Base", "Records", "LogStorage", "KafkaWire", "KafkaClient", "Agent", "Events", "Exports", "Telemetry",
                "TestKit", nioCore, systemPackage,
            ], swiftSettings: hot),
    ]
)
