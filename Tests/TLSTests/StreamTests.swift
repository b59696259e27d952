import COpenSSL
import Identity
import TLSTesting
import Testing

@testable import TLS
@testable import Authority

@Suite("An established session")
struct StreamTests {
    private static func pair(_ version: TLSVersion = .tls13) throws -> Pair {
        let world = try World()
        let options = TLSOptions(minVersion: version)
        var pair = try Pair(
            client: .client(world.material("/client"), options, maxVersion: version),
            server: .server(world.material("/server"), options))
        pair.handshake()
        try #require(pair.server.outcome == .complete)
        return pair
    }

    private static func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    }

    @Test(
        "carries every length from one byte to many records",
        arguments: [1, 100, 16_383, 16_384, 16_385, 32_768, 65_536, 131_072, 1_000_000], [TLSVersion.tls13, .tls12])
    func lengths(count: Int, version: TLSVersion) throws {
        var pair = try Self.pair(version)
        let bytes = Self.pattern(count)
        #expect(pair.send(fromClient: bytes).isEmpty)
        #expect(pair.send(fromServer: bytes).isEmpty)
        #expect(pair.server.plaintext == bytes)
        #expect(pair.client.plaintext == bytes)
    }

    @Test(
        "keeps a partial record to itself, wherever reads are cut",
        arguments: [1, 2, 5, 6, 1000, 16_384, 16_406, 20_000])
    func cuts(at size: Int) throws {
        var pair = try Self.pair()
        let bytes = Self.pattern(size < 10 ? 3_000 : 70_000)
        let sealed = pair.client.seal(bytes)
        var start = 0
        while start < sealed.count {
            let end = min(start + size, sealed.count)
            pair.server.inbox = Array(sealed[start..<end])
            _ = pair.server.open()
            #expect(pair.server.opened == .open)
            start = end
        }
        #expect(pair.server.plaintext == bytes)
    }

    @Test("opens records that came with the last bytes of the handshake")
    func earlyData() throws {
        let world = try World()
        var pair = try Pair(client: .client(world.material()), server: .server(world.material()))
        pair.server.inbox = pair.client.handshake()
        pair.client.inbox = pair.server.handshake()
        let finished = pair.client.handshake()
        #expect(pair.client.outcome == .complete)
        pair.server.inbox = finished + pair.client.seal(Self.pattern(40_000))
        _ = pair.server.handshake()
        #expect(pair.server.outcome == .complete)
        #expect(!pair.server.inbox.isEmpty)
        _ = pair.server.open()
        #expect(pair.server.plaintext == Self.pattern(40_000))
    }

    @Test("goes on in one direction after the other was closed", arguments: [TLSVersion.tls13, .tls12])
    func halfClose(version: TLSVersion) throws {
        var pair = try Self.pair(version)
        pair.server.inbox = pair.client.seal([1, 2]) + pair.client.closeNotify()
        _ = pair.server.open()
        #expect(pair.server.plaintext == [1, 2])
        #expect(pair.server.opened == .closed)

        _ = pair.send(fromServer: Self.pattern(50_000))
        #expect(pair.client.plaintext == Self.pattern(50_000))
        #expect(pair.client.opened == .open)

        pair.client.inbox = pair.server.seal([3]) + pair.server.closeNotify()
        _ = pair.client.open()
        #expect(pair.client.plaintext.last == 3)
        #expect(pair.client.opened == .closed)
    }

    @Test("sends close_notify once")
    func closeOnce() throws {
        var pair = try Self.pair()
        #expect(!pair.client.closeNotify().isEmpty)
        #expect(pair.client.closeNotify().isEmpty)
    }

    @Test("ignores what comes after close_notify")
    func afterClose() throws {
        var pair = try Self.pair()
        pair.server.inbox = pair.client.closeNotify()
        _ = pair.server.open()
        pair.server.inbox = Self.pattern(100)
        _ = pair.server.open()
        #expect(pair.server.opened == .closed)
        #expect(pair.server.plaintext.isEmpty)
    }

    @Test("fails with bad-record on a byte that was changed, and answers bad_record_mac")
    func tampered() throws {
        var pair = try Self.pair()
        var sealed = pair.client.seal(Self.pattern(100))
        sealed[50] ^= 1
        pair.server.inbox = sealed
        let replies = pair.server.open()
        #expect(pair.server.opened == .failed(.misbehaved(.badRecord)))
        #expect(pair.server.plaintext.isEmpty)
        pair.client.inbox = replies
        _ = pair.client.open()
        #expect(pair.client.opened == .failed(.peerAlert(20)))
    }

    @Test("stays failed once it has failed")
    func staysFailed() throws {
        var pair = try Self.pair()
        pair.server.inbox = [UInt8](repeating: 0, count: 100)
        _ = pair.server.open()
        #expect(pair.server.opened != .open)
        pair.server.inbox = pair.client.seal([1])
        _ = pair.server.open()
        #expect(pair.server.opened != .open)
        #expect(pair.server.plaintext.isEmpty)
        #expect(pair.server.closeNotify().isEmpty)
        #expect(pair.server.refuse().isEmpty)
    }

    @Test("releases everything when it ends, however it ends")
    func leaks() throws {
        let world = try World()
        let freed = FreedContexts()
        // Each session holds its context: one that leaked would keep the context from being freed.
        func connections() throws {
            let client = try TLSContext.client(world.material("/client"), TLSOptions(resumption: true))
            let server = try TLSContext.server(world.material("/server"), TLSOptions(resumption: true))
            freed.watch(client)
            freed.watch(server)
            for step in 0..<20 {
                var pair = try Pair(client: client, server: server)
                if step % 5 == 0 { continue }
                pair.handshake()
                #expect(pair.server.outcome == .complete)
                _ = pair.send(fromServer: [1])
                if step % 5 == 2 { _ = pair.server.refuse() }
                if step % 5 == 3 {
                    pair.server.inbox = [UInt8](repeating: 0, count: 100)
                    _ = pair.server.open()
                }
                if step % 5 == 4 { _ = pair.client.closeNotify() }
            }
            #expect(freed.count == 0)
        }
        try connections()
        #expect(freed.count == 2)
    }
}

/// Counts the contexts that OpenSSL has freed, of those that are watched.
private final class FreedContexts {
    private(set) var count = 0
    private let index: Int32

    init() {
        // Safe: the callback gets what `watch` stored, and this object outlives the contexts it watches.
        index = unsafe CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nil, nil, nil) { _, value, _, _, _, _ in
            guard let value = unsafe value else { return }
            unsafe Unmanaged<FreedContexts>.fromOpaque(value).takeUnretainedValue().count += 1
        }
    }

    func watch(_ context: TLSContext) {
        unsafe _ = SSL_CTX_set_ex_data(context.pointer, index, Unmanaged.passUnretained(self).toOpaque())
    }
}
