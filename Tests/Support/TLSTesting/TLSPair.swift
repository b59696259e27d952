public import System
public import TLS

/// One end, with its exchange and what it has seen.
public struct End: ~Copyable {
    public var session: TLSSession
    public let exchange: RecordExchange
    public var outcome: HandshakeOutcome
    /// Received and not yet given to the session.
    public var inbox: [UInt8]
    public var plaintext: [UInt8]
    public var opened: OpenOutcome

    public init(_ context: TLSContext, endpoint: SocketAddress? = nil) throws {
        let exchange = try RecordExchange()
        session = try TLSSession(context, exchange: exchange, endpoint: endpoint)
        self.exchange = exchange
        outcome = .wantsBytes
        inbox = []
        plaintext = []
        opened = .open
    }

    /// Gives the session its inbox; returns what it wants sent.
    public mutating func handshake() -> [UInt8] {
        var consumed = 0
        let input = inbox  // bytes of UInt8 have no padding, so that viewing them raw is safe, here and below
        let sent = written(TLSSession.flightBytes) { output in
            (outcome, consumed) = unsafe session.handshake(input.span.bytes, into: &output)
        }
        inbox.removeFirst(consumed)
        return sent
    }

    /// Decrypts the inbox; returns the replies.
    public mutating func open() -> [UInt8] {
        let input = inbox
        inbox = []
        plaintext += written(TLSSession.openCapacity(inputBytes: input.count)) { output in
            opened = unsafe session.open(input.span.bytes, into: &output)
        }
        let replies = exchange.replies
        return unsafe replies.withUnsafeBytes { unsafe Array($0) }
    }

    public mutating func seal(_ bytes: [UInt8]) -> [UInt8] {
        written(session.sealCapacity(plaintextBytes: bytes.count)) { output in
            let outcome = unsafe session.seal(bytes.span.bytes, into: &output)
            precondition(outcome == .sealed)
        }
    }

    public mutating func closeNotify() -> [UInt8] {
        written(1024) { output in session.closeNotify(into: &output) }
    }

    public mutating func refuse() -> [UInt8] {
        written(1024) { output in session.refuse(into: &output) }
    }
}

/// What `body` writes, at most `capacity` bytes.
public func written(_ capacity: Int, _ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
    // Safe: the block outlives the span over it.
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    defer { unsafe block.deallocate() }
    var output = unsafe OutputRawSpan(buffer: block, initializedCount: 0)
    body(&output)
    let count = unsafe output.finalize(for: block)
    return unsafe Array(block[..<count])
}

/// A client and a server, joined in memory.
public struct Pair: ~Copyable {
    public var client: End
    public var server: End

    public init(client: TLSContext, server: TLSContext, endpoint: SocketAddress? = nil) throws {
        let client = try End(client, endpoint: endpoint)
        let server = try End(server)
        self.client = client
        self.server = server
    }

    /// Runs both handshakes until neither wants to say more; the client opens what comes after its own is complete.
    public mutating func handshake() {
        var toServer = client.handshake()
        while true {
            server.inbox += toServer
            toServer = []
            var toClient: [UInt8] = []
            if server.outcome == .wantsBytes { toClient = server.handshake() }
            guard !toClient.isEmpty else { return }
            client.inbox += toClient
            if client.outcome == .wantsBytes { toServer = client.handshake() }
            if client.outcome == .complete, !client.inbox.isEmpty { toServer += client.open() }
        }
    }

    public mutating func send(fromClient bytes: [UInt8]) -> [UInt8] {
        server.inbox += client.seal(bytes)
        return server.open()
    }

    public mutating func send(fromServer bytes: [UInt8]) -> [UInt8] {
        client.inbox += server.seal(bytes)
        return client.open()
    }
}
