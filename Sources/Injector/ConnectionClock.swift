/// Where a connection of the webhook is, and until when it may stay there. Pure; times are monotonic milliseconds.
struct ConnectionClock: Equatable {
    enum Phase {
        case handshake
        /// Between two requests.
        case idle
        /// A part of a request is here.
        case receiving
        /// The whole request is here, and the client has not taken all of the answer.
        case answering
    }

    private(set) var phase = Phase.handshake
    /// When this phase began.
    private(set) var since: Int64
    private(set) var deadline: Int64
    /// Whether a request was answered.
    private(set) var hasServed = false

    init(acceptedAt now: Int64) {
        since = now
        deadline = now + Self.handshakeMilliseconds
    }

    /// The handshake has ended; nothing of a request is here.
    mutating func established(now: Int64) {
        guard phase == .handshake else { return }
        enter(.idle, now, Self.idleMilliseconds)
    }

    /// Bytes of a request have come. Later ones give no more time.
    mutating func received(now: Int64) {
        guard phase == .handshake || phase == .idle else { return }
        enter(.receiving, now, Self.requestMilliseconds)
    }

    /// The request is whole.
    mutating func asked(now: Int64) { enter(.answering, now, Self.answerMilliseconds) }

    /// The client has taken the answer.
    mutating func answered(now: Int64) {
        hasServed = true
        enter(.idle, now, Self.idleMilliseconds)
    }

    private mutating func enter(_ phase: Phase, _ now: Int64, _ milliseconds: Int64) {
        self.phase = phase
        since = now
        deadline = now + milliseconds
    }

    static let handshakeMilliseconds: Int64 = 5_000
    /// Longer than kube-apiserver keeps an idle connection (90 s), so that it is never cut while a review is sent.
    static let idleMilliseconds: Int64 = 180_000
    static let requestMilliseconds: Int64 = 10_000
    /// The longest `timeoutSeconds` of a webhook, and some time to take the answer.
    static let answerMilliseconds: Int64 = 40_000
}
