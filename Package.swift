// swift-tools-version: 6.2
import PackageDescription

/// Every target compiles in Swift 6 mode with strict memory safety, and a warning is an error (trust.md T30).
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Only where `.ci/fuzz-targets` asks for it: our modules tell libFuzzer which edges they take and what they compare, and
/// AddressSanitizer looks at what they read and write.
let isFuzzed = Context.environment["MISWIRE_LIBFUZZER"] != nil
let ours = strict + (isFuzzed ? [.unsafeFlags(["-sanitize=address,fuzzer"])] : [])

let buffers: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let sockets: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let tls: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let http2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let hpack: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let certificates: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")

/// Whoever works on one module needs its tests only: `MISWIRE_TESTS=Faults,Wire swift build --product miswirePackageTests`.
let wanted = Context.environment["MISWIRE_TESTS"].map { $0.split(separator: ",").map(String.init) }

/// One row a module: its name and what it may import. The arrows only point down (design.md).
let modules: [(name: String, imports: [Target.Dependency])] = [
    ("Wire", ["CZlib", buffers]),
    ("Journaling", ["Wire", buffers, crypto]),
    ("Contracts", ["Wire", "Journaling", buffers]),
    ("Faults", ["Wire", "Journaling", "Contracts", buffers]),
    ("Oracles", ["Wire", "Journaling", "Contracts", buffers]),
    ("Plans", ["Wire", "Journaling", "Contracts", "Faults", buffers]),
    ("Profiles", ["Wire", "Journaling", "Contracts", "Faults", "Oracles", yams]),
    ("Captures", ["Wire", "Journaling", "Contracts", "Faults", "Plans", buffers, "CPcap", "COpenSSL", "CZlib"]),
    ("Findings", ["Wire", "Journaling", "Contracts", "Oracles", "Plans"]),
    ("Reporting", ["Wire", "Journaling", "Contracts", "Oracles", "Plans", "Findings", buffers]),
    (
        "ProxyRuntime",
        [
            "Wire", "Journaling", "Contracts", "Faults", "Oracles", "Profiles", "Captures", buffers, sockets, tls, http2,
            hpack, certificates, crypto,
        ]
    ),
    (
        "Peers",
        [
            "Wire", "Journaling", "Contracts", "Faults", "Oracles", "Plans", "Profiles", "Captures", "ProxyRuntime",
            buffers, sockets, subprocess,
        ]
    ),
    ("ReferenceBackend", ["Wire", "Journaling", buffers, sockets]),
    (
        "Fuzzing",
        [
            "Wire", "Journaling", "Contracts", "Faults", "Oracles", "Plans", "Profiles", "Captures", "Findings", "Peers",
            buffers,
        ]
    ),
    (
        "Commands",
        [
            "Wire", "Journaling", "Contracts", "Faults", "Oracles", "Plans", "Profiles", "Captures", "Findings",
            "Reporting", "ProxyRuntime", "Peers", "Fuzzing", "ReferenceBackend", buffers, sockets, arguments,
        ]
    ),
]

/// libFuzzer's library without its `main`; the compiler's driver is asked by `.ci/fuzz-targets` where it stands.
let fuzzers: [Target] = [
    .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzzers/CLibFuzzer"),
    .executableTarget(
        name: "fuzz-targets",
        dependencies: ["CLibFuzzer", "Checks", "Captures", "Journaling", "Plans", "Wire", buffers], path: "Tests/Fuzzers/Targets",
        swiftSettings: ours,
        linkerSettings: [
            .unsafeFlags(["-sanitize=address", Context.environment["MISWIRE_LIBFUZZER"] ?? ""]), .linkedLibrary("stdc++"),
            .linkedLibrary("m"),
        ]),
]

let package = Package(
    name: "miswire",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "miswire", targets: ["miswire"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .executableTarget(name: "miswire", dependencies: ["Commands"], swiftSettings: strict),
        // What is fuzzed and what the tests replay is the same.
        .target(
            name: "Checks", dependencies: ["CZlib", "Wire", "Journaling", "Faults", buffers], path: "Tests/Fuzzers/Checks",
            swiftSettings: ours),
    ]
        + modules.map { module in
            // Shipped profiles, contracts and plans are part of the program, so that their names mean the same everywhere.
            .target(
                name: module.name, dependencies: module.imports,
                resources: ["Profiles", "Plans"].contains(module.name) ? [.embedInCode("Shipped")] : nil,
                swiftSettings: ours)
        }
        + modules.filter { wanted?.contains($0.name) ?? true }.map { module in
            .testTarget(
                name: module.name + "Tests",
                // The simulator of Peers and the fuzzer are tested on a server that they must not know.
                dependencies: [.target(name: module.name)] + module.imports
                    + (["Peers", "Fuzzing"].contains(module.name) ? ["ReferenceBackend"] : [])
                    + (module.name == "Faults" ? ["Checks"] : []),
                // Vectors, and harnesses with peers of other makers; .ci/run starts these.
                exclude: ["Wire": ["Vectors"], "Oracles": ["Golden"], "Captures": ["Vectors"], "ProxyRuntime": ["Peers"]][module.name] ?? [],
                swiftSettings: strict)
        }
        + [.testTarget(name: "TidyTests", dependencies: [], swiftSettings: strict)]
        + (isFuzzed ? fuzzers : [])
)
