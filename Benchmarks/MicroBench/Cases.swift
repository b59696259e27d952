import EventLoop

/// All cases, in the order of the table.
let microCases: [MicroCase] =
    [
        MicroCase(name: "spiffe-id-parse", operations: 1_000) { _ in SPIFFEIDParsing() }
    ]
    + [1, 100, 10_000].map { rules in
        MicroCase(name: "policy-\(rules)-rules", operations: 1_000) { _ in try PolicyDecisions(rules: rules) }
    }
    + [
        MicroCase(name: "loop-wake-io_uring", operations: 1_000, runsUnderValgrind: false) { _ in
            KernelWakes(try .ioURing(LoopLimits()))
        },
        MicroCase(name: "loop-wake-epoll", operations: 1_000) { _ in KernelWakes(try .epoll(LoopLimits())) },
        MicroCase(name: "loop-wake-simulated", operations: 1_000) { _ in SimulatedWakes() },
        MicroCase(name: "loop-byte-io_uring", operations: 1_000, runsUnderValgrind: false) { _ in
            try ByteRoundTrips(.ioURing(LoopLimits()))
        },
        MicroCase(name: "loop-byte-epoll", operations: 1_000) { _ in try ByteRoundTrips(.epoll(LoopLimits())) },
    ]
    + [(64, "64"), (1 << 10, "1KiB"), (16 << 10, "16KiB"), (64 << 10, "64KiB")].flatMap { bytes, label in
        let operations = min(1_000, (4 << 20) / bytes)
        return [
            MicroCase(name: "seal-\(label)", operations: operations, usesOpenSSL: true) {
                try Sealing($0, bytes: bytes)
            },
            MicroCase(name: "open-\(label)", operations: operations, usesOpenSSL: true) {
                try Opening($0, bytes: bytes)
            },
        ]
    }
    // Both sides together.
    + [
        MicroCase(name: "handshake-resumed", operations: 50, usesOpenSSL: true) {
            try RepeatedHandshakes($0, resuming: true)
        },
        MicroCase(name: "handshake-remembered-chain", operations: 30, usesOpenSSL: true) {
            try RepeatedHandshakes($0, resuming: false)
        },
        MicroCase(name: "handshake-full", operations: 20, usesOpenSSL: true) { try FullHandshakes($0) },
    ]
