import Logging
import Settings
import System
import WorkloadAPI

/// Maintains a connection to the Workload API and its latest responses. Belongs to the control thread.
final class WorkloadClient {
    /// How the identity in use must change.
    enum Change {
        case use(Offer)
        case withdraw(reason: String)
    }

    /// An SVID with the bundles and CRLs received with it.
    struct Offer: Hashable {
        let svid: WorkloadSVID
        let state: WorkloadState
    }

    private let address: WorkloadAddress
    private let hint: String?
    /// What is made of the CRLs that it hands out.
    private var revocation: RevocationMode
    private let loop: ControlLoop
    /// Of the next connection's socket; 0 for none.
    var mark: UInt32 = 0
    private let logger: Logger
    private var state = WorkloadState()
    private var retry = WorkloadRetry()
    private var link: Link?
    /// Calls that the server does not implement.
    private var refused: Set<WorkloadConnection.Call> = []
    /// Monotonic milliseconds; nil if reconnecting would not help.
    private var connectAt: Int64? = 0
    private var offers = Coalesced<Offer>(intervalMilliseconds: installIntervalMilliseconds)
    /// Why the identity is withdrawn; nil once delivered.
    private var withdrawal: String?
    private var withdrawAt: Int64 = 0
    private var lastComplaint = ""

    /// One connection.
    private final class Link {
        let socket: WorkloadSocket
        let connection: WorkloadConnection
        var watch: EventWatch?
        /// When to send the next PING, or to give up on an outstanding one.
        var checkAt: Int64
        /// A PING is outstanding; at first, the server's first bytes.
        var awaitsSign = true

        init(
            _ address: WorkloadAddress, _ calls: [WorkloadConnection.Call], mark: UInt32, checkAt: Int64
        ) throws(ControlFault) {
            socket = try WorkloadSocket(to: address, mark: mark)
            do throws(WorkloadFault) {
                connection = try WorkloadConnection(calls)
            } catch {
                throw .system(what: "cannot speak HTTP/2", errno: 12)
            }
            self.checkAt = checkAt
        }
    }

    init(_ settings: WorkloadIdentity, on loop: ControlLoop, logger: Logger) {
        address = settings.address
        hint = settings.hint
        revocation = settings.revocation
        self.loop = loop
        self.logger = logger
    }

    /// Handles due timers; returns the milliseconds until the next one.
    func tick() -> Int? {
        let now = MonotonicClock.milliseconds()
        if let link {
            if now >= link.checkAt { check(link, now) }
        } else if let connectAt, now >= connectAt {
            connect(now)
        }
        let dueAt = withdrawal == nil ? offers.dueAt : withdrawAt
        if let dueAt, now >= dueAt { loop.post(.identityChanged) }
        return [self.link?.checkAt ?? connectAt, dueAt].compactMap(\.self).min().map { Int(max(0, $0 - now)) }
    }

    /// The pending change: a withdrawal at once; of offers the latest, at most twice a second.
    func takeChange() -> Change? {
        let now = MonotonicClock.milliseconds()
        if let reason = withdrawal {
            guard now >= withdrawAt else { return nil }
            withdrawal = nil
            return .withdraw(reason: reason)
        }
        return offers.take(now: now).map { .use($0) }
    }

    /// The last offer was sound but could not be installed: retries it.
    func offerWasNotInstalled() { offers.putBack(now: MonotonicClock.milliseconds()) }

    /// The withdrawal could not be installed: retries it.
    func withdrawalWasNotInstalled(_ reason: String) {
        withdrawal = reason
        withdrawAt = MonotonicClock.milliseconds() + Self.installIntervalMilliseconds
    }

    /// The last offer was flawed, at least in part: accepts the same offer again.
    func offerWasRefused() { offers.forget() }

    /// Goes over to these settings: where CRLs are to be looked at in another way, what was handed out last is
    /// assembled anew.
    func serve(_ identity: IdentitySettings) {
        guard case .workloadAPI(let settings) = identity, settings.revocation != revocation else { return }
        revocation = settings.revocation
        offers.forget()
        publish()
        loop.post(.identityChanged)
    }

    /// Why there is no SVID, for those who wait.
    var waitsFor: String { lastComplaint.isEmpty ? "no SVID yet from \(address)" : "no SVID: \(lastComplaint)" }

    // MARK: Private

    private func connect(_ now: Int64) {
        let calls = WorkloadConnection.Call.allCases.filter { !refused.contains($0) }
        do throws(ControlFault) {
            let link = try Link(address, calls, mark: mark, checkAt: now + Self.patienceMilliseconds)
            link.watch = try EventWatch(loop.base, descriptor: link.socket.descriptor.number) { [weak self] in
                self?.readable()
            }
            self.link = link
            flush(link)
        } catch {
            ended(status: nil, "\(error)")
        }
    }

    private func check(_ link: Link, _ now: Int64) {
        guard !link.awaitsSign else { return ended(status: nil, "the server at \(address) does not answer") }
        link.awaitsSign = true
        link.checkAt = now + Self.patienceMilliseconds
        link.connection.ping()
        flush(link)
    }

    /// Any bytes from the server prove that it is alive.
    private func sign(of link: Link) {
        link.awaitsSign = false
        link.checkAt = MonotonicClock.milliseconds() + Self.lifeSignMilliseconds
    }

    private func flush(_ link: Link) {
        let output = link.connection.takeOutput()
        guard !output.isEmpty, !link.socket.send(output) else { return }
        ended(status: nil, "the server at \(address) does not read")
    }

    private func readable() {
        var reads = 0
        while let link, reads < Self.readsAtOnce, let bytes = link.socket.receive() {
            reads += 1
            sign(of: link)
            for event in link.connection.receive(bytes) where self.link === link { handle(event, link) }
            if self.link === link { flush(link) }
        }
        loop.post(.identityChanged)
    }

    private func handle(_ event: WorkloadConnection.Event, _ link: Link) {
        switch event {
        case .pong: break
        case .svids(let message):
            retry.messageCame()
            state.take(message)
            publish()
        case .bundles(let message):
            state.take(message)
            publish()
        case .discarded(let call, let flaw):
            complain("a message of \(call) is discarded: \(flaw)")
        case .ended(.bundles, let status, _) where status == Self.unimplemented:
            // The bundles that come with the SVIDs suffice.
            refused.insert(.bundles)
        case .ended(let call, let status, let message):
            ended(status: status, "the server ended the call for \(call): \(message) (status \(status))")
        case .failed(let reason): ended(status: nil, reason)
        }
    }

    private func publish() {
        guard let message = state.svids else { return }
        guard let svid = message.svid(hint: hint) else {
            return complain("no SVID has the hint \"\(hint ?? "")\"")
        }
        lastComplaint = ""
        offers.put(Offer(svid: svid, state: state))
    }

    /// Ends the connection and schedules a reconnect.
    private func ended(status: Int?, _ reason: String) {
        link = nil
        let now = MonotonicClock.milliseconds()
        complain(reason)
        switch retry.ended(status: status, chance: .random(in: 0...1)) {
        case .again(let wait): connectAt = now + wait
        case .never:
            connectAt = nil
            logger.critical("Workload API: not reconnecting", metadata: ["reason": "\(reason)"])
        case .withdrawAndAgain(let wait):
            connectAt = now + wait
            state.withdraw()
            offers.clear()
            withdrawal = reason
            loop.post(.identityChanged)
        }
    }

    private func complain(_ reason: String) {
        guard reason != lastComplaint else { return }
        lastComplaint = reason
        logger.warning("Workload API: \(reason)")
    }

    /// gRPC servers disconnect clients that PING more often than every five minutes.
    private static let lifeSignMilliseconds: Int64 = 310_000
    private static let patienceMilliseconds: Int64 = 5_000
    private static let readsAtOnce = 64
    /// Installing another identity rebuilds every TLS context.
    private static let installIntervalMilliseconds: Int64 = 500
    private static let unimplemented = 12
}
