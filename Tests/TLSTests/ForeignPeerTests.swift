import COpenSSL
import Identity
import TLSTesting
import Testing

@testable import TLS
@testable import Authority
@testable import Crypto

@Suite("A foreign peer")
struct ForeignPeerTests {
    /// Each is safe: the context is alive, and the strings live for the call.
    enum Oddity: String, CaseIterable, Sendable {
        case tls12Only, x448Only, otherCipher, otherProtocol

        func apply(to context: RawPeer.Context) {
            switch self {
            case .tls12Only: unsafe _ = postern_ctx_set_max_version(context.pointer, TLS1_2_VERSION)
            case .x448Only: unsafe _ = postern_ctx_set_groups(context.pointer, "X448")
            case .otherCipher: unsafe _ = SSL_CTX_set_ciphersuites(context.pointer, "TLS_AES_128_CCM_SHA256")
            case .otherProtocol: unsafe _ = SSL_CTX_set_alpn_protos(context.pointer, [2, 0x68, 0x32], 3)
            }
        }

        var failure: TLSFailure {
            switch self {
            case .tls12Only: .incompatible(.version)
            case .x448Only: .incompatible(.group)
            case .otherCipher: .incompatible(.cipher)
            case .otherProtocol: .incompatible(.applicationProtocol)
            }
        }

        var alert: UInt8 {
            switch self {
            case .tls12Only: 70
            case .x448Only, .otherCipher: 40
            case .otherProtocol: 120
            }
        }
    }

    @Test("is told what we do not have in common", arguments: Oddity.allCases)
    func incompatible(oddity: Oddity) throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue()) { oddity.apply(to: $0) }
        var end = try End(.server(world.material(), protocols: ["postern/1"]))
        _ = peer.handshake()
        end.inbox = peer.take()
        let answer = end.handshake()
        #expect(end.outcome == .failed(oddity.failure))
        #expect(answer.suffix(2) == [2, oddity.alert])
    }

    @Test("is refused with certificate_required when it has no certificate")
    func noCertificate() throws {
        let world = try World()
        let peer = try RawPeer()
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        #expect(end.outcome == .failed(.refused(.noCertificate)))
    }

    @Test(
        "is recognised as HTTP without TLS",
        arguments: ["GET / HTTP/1.1\r\n\r\n", "POST /x", "CONNECT a:1 HTTP/1.1", "DELETE /x", "PRI * HTTP/2.0\r\n"])
    func http(text: String) throws {
        var end = try End(.server(World().material()))
        end.inbox = Array(text.utf8)
        #expect(end.handshake().isEmpty)
        #expect(end.outcome == .failed(.plaintextHTTP))
    }

    @Test("is recognised as not TLS when it sends garbage", arguments: [0, 1, 0x20, 0x53, 0x80, 0xff] as [UInt8])
    func garbage(byte: UInt8) throws {
        let world = try World()
        var server = try End(.server(world.material()))
        server.inbox = [UInt8](repeating: byte, count: 300)
        _ = server.handshake()
        #expect(server.outcome == .failed(.notTLS))
        var client = try End(.client(world.material()))
        _ = client.handshake()
        client.inbox = [UInt8](repeating: byte, count: 300)
        _ = client.handshake()
        #expect(client.outcome == .failed(.notTLS))
    }

    @Test("speaks TLS 1.2 when the settings allow it")
    func oldVersion() throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue()) {
            // Safe: the context is alive.
            unsafe _ = postern_ctx_set_max_version($0.pointer, TLS1_2_VERSION)
        }
        var end = try End(.server(world.material(), TLSOptions(minVersion: .tls12)))
        peer.handshake(with: &end)
        #expect(end.outcome == .complete)
        let version = end.session.version
        #expect(version == .tls12)
        let cipher = end.session.cipher
        #expect(cipher == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
        peer.write([1, 2, 3])
        end.inbox = peer.take()
        _ = end.open()
        #expect(end.plaintext == [1, 2, 3])
        // There is no access_denied in TLS 1.2 after the handshake: the peer sees a clean end.
        peer.feed(end.refuse())
        #expect(peer.read().error == SSL_ERROR_ZERO_RETURN)
    }

    @Test(
        "gets records no longer than it asked for", arguments: [TLS1_2_VERSION, TLS1_3_VERSION],
        [(1, 512), (2, 1024), (3, 2048), (4, 4096)] as [(UInt8, Int)])
    func maximumFragment(version: Int32, code: (number: UInt8, bytes: Int)) throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue()) {
            // Safe: the context is alive.
            unsafe _ = postern_ctx_set_max_version($0.pointer, version)
            unsafe _ = SSL_CTX_set_tlsext_max_fragment_length($0.pointer, code.number)
        }
        var end = try End(.server(world.material(), TLSOptions(minVersion: .tls12)))
        peer.handshake(with: &end)
        #expect(end.outcome == .complete)
        let bytes = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sealed = end.seal(bytes)
        // Every record's own length, as visible on the wire.
        var start = 0
        while start + 5 <= sealed.count {
            let length = Int(sealed[start + 3]) << 8 | Int(sealed[start + 4])
            #expect(length <= code.bytes + 32)
            start += 5 + length
        }
        #expect(start == sealed.count)
        peer.feed(sealed)
        var received: [UInt8] = []
        while received.count < bytes.count {
            let part = peer.read()
            try #require(!part.bytes.isEmpty, "the peer stopped after \(received.count) bytes: \(part.error)")
            received += part.bytes
        }
        #expect(received == bytes)
    }

    @Test(
        "is verified by a key of each kind that is strong enough",
        arguments: [KeyKind.p256, .p384, .p521, .rsa2048, .ed25519])
    func keyKinds(kind: KeyKind) throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue(LeafRequest(keyKind: kind))) { _ in }
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        #expect(end.outcome == .complete)
        // And by our own of that kind.
        let other = try RawPeer(certificate: world.authority.issue()) { _ in }
        let issued = try world.authority.issue(LeafRequest(path: "/ns/default/sa/server", keyKind: kind))
        var server = try End(.server(material(issued, trusting: [world.bundle])))
        other.handshake(with: &server)
        #expect(server.outcome == .complete)
    }

    @Test("of TLS 1.2 cannot renegotiate")
    func renegotiation() throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue()) {
            // Safe: the context is alive.
            unsafe _ = postern_ctx_set_max_version($0.pointer, TLS1_2_VERSION)
        }
        var end = try End(.server(world.material(), TLSOptions(minVersion: .tls12)))
        peer.handshake(with: &end)
        // Safe: the SSL is alive.
        unsafe _ = SSL_renegotiate(peer.ssl)
        _ = peer.handshake()
        end.inbox = peer.take()
        #expect(!end.inbox.isEmpty)
        // A warning, and nothing of a handshake.
        #expect(end.open().count < 50)
        #expect(end.opened == .open)
    }

    @Test("agrees on the first application protocol of ours that it offers")
    func applicationProtocol() throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue()) {
            // Safe: OpenSSL copies the list.
            unsafe _ = SSL_CTX_set_alpn_protos($0.pointer, [1, 0x61, 1, 0x62, 1, 0x63], 6)
        }
        var end = try End(.server(world.material(), protocols: ["x", "c", "b"]))
        peer.handshake(with: &end)
        let chosen = end.session.applicationProtocol
        #expect(chosen == "c")
    }

    @Test("may offer application protocols to a context that has none")
    func applicationProtocolIgnored() throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue()) {
            // Safe: OpenSSL copies the list.
            unsafe _ = SSL_CTX_set_alpn_protos($0.pointer, [1, 0x61], 2)
        }
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        #expect(end.outcome == .complete)
        let chosen = end.session.applicationProtocol
        #expect(chosen == nil)
    }

    @Test("as a server that chooses a protocol we did not offer, misbehaves")
    func unofferedProtocol() throws {
        let world = try World()
        let peer = try RawPeer(server: true, certificate: world.authority.issue()) {
            // Safe: the name is static, and OpenSSL copies it.
            unsafe SSL_CTX_set_alpn_select_cb(
                $0.pointer,
                { _, chosen, count, _, _, _ in
                    let name: StaticString = "zz"
                    unsafe chosen?.pointee = name.utf8Start
                    unsafe count?.pointee = 2
                    return SSL_TLSEXT_ERR_OK
                }, nil)
        }
        var end = try End(.client(world.material(), protocols: ["a"]))
        peer.handshake(with: &end)
        // Newer releases of OpenSSL notice by themselves, and call it a bad extension.
        guard case .failed(.misbehaved) = end.outcome else {
            Issue.record("the handshake went on")
            return
        }
    }

    @Test("gets no names of certificate authorities")
    func authorityNames() throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue())
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        // Safe: the SSL is alive; a missing list counts as -1.
        #expect(unsafe OPENSSL_sk_num(SSL_get0_peer_CA_list(peer.ssl)) <= 0)
    }

    @Test("updates its keys, requests our update, and gets it with our next bytes", arguments: [true, false])
    func keyUpdate(requestingAnswer: Bool) throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue())
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        for round in 1...5 as ClosedRange<UInt8> {
            peer.updateKeys(requestingAnswer: requestingAnswer)
            peer.write([round])
            end.inbox += peer.take()
            _ = end.open()
            peer.feed(end.seal([round, round]))
            #expect(peer.read().bytes == [round, round])
        }
        #expect(end.plaintext == [1, 2, 3, 4, 5])
    }

    @Test("that floods us with key updates misbehaves")
    func keyUpdateFlood() throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue())
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        for _ in 0..<1000 { peer.updateKeys(requestingAnswer: true) }
        peer.write([1])
        end.inbox = peer.take()
        _ = end.open()
        #expect(end.opened == .failed(.misbehaved(.tooManyRequests)))
        #expect(end.plaintext.isEmpty)
    }

    @Test("follows when we change our key, as we do before it wears out")
    func ownKeyUpdate() throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue())
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        let before = end.seal([1])
        end.session.records?.recordsPerKey = 1
        let sealed = end.seal([2])
        #expect(sealed.count > before.count + 20)
        peer.feed(before + sealed + end.seal([3]))
        #expect(peer.read().bytes == [1, 2, 3])
    }

    @Test("that was refused after the handshake reads access_denied")
    func accessDenied() throws {
        let world = try World()
        let peer = try RawPeer(certificate: world.authority.issue())
        var end = try End(.server(world.material()))
        peer.handshake(with: &end)
        peer.feed(end.refuse())
        var byte: UInt8 = 0
        // Safe: one byte of room.
        #expect(unsafe SSL_read(peer.ssl, &byte, 1) <= 0)
        #expect(ErrorQueue.take()?.reason == SSL_R_TLSV1_ALERT_ACCESS_DENIED)
    }
}
