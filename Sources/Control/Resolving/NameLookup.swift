import Resolution
import Settings
import System

/// One lookup of a name: of a host its addresses, of a service its SRV records and the addresses of their targets, of a
/// destination the addresses of each family for itself, so that a family that fails does not pass for an absent one.
/// Belongs to the control thread.
final class NameLookup {
    /// Nil until it has ended.
    private(set) var outcome: Result<NameAnswer, DNSFault>?
    private let question: NameQuestion
    private let channel: DNSChannel
    /// Monotonic milliseconds.
    private let deadline: Int64
    /// What the targets of SRV records, or the families, gave so far.
    private var found = NameAnswer(addresses: [], ttlSeconds: Int(Int32.max))
    private var openQuestions = 0
    private var lastFault: DNSFault?

    /// - Parameter progressed: called on the control thread when ``outcome`` may be there.
    init(
        _ question: NameQuestion, on base: EventBase, mark: UInt32, now: Int64, progressed: @escaping () -> Void
    ) throws(DNSFault) {
        self.question = question
        deadline = now + Self.patienceMilliseconds
        channel = try DNSChannel(on: base, server: question.server, mark: mark, progressed: progressed)
        switch question.kind {
        case .host:
            channel.addresses(of: question.name.description, question.family) { [weak self] in self?.outcome = $0 }
        case .service:
            channel.services(of: question.name.description) { [weak self] in self?.lookUp($0) }
        case .destination:
            channel.addresses(of: question.name.description, .auto) { [weak self] in self?.lookUpFamilies($0) }
        }
    }

    /// Checks time-outs; returns the milliseconds until the next one.
    func tick(now: Int64) -> Int {
        channel.checkTimeouts()
        if outcome == nil, now >= deadline { outcome = .failure(DNSFault(description: "no answer in time")) }
        return min(channel.millisecondsUntilTimeout ?? .max, Int(max(1, deadline - now)))
    }

    /// Looks the targets of SRV records up.
    private func lookUp(_ answer: Result<ServiceAnswer, DNSFault>) {
        let records: ServiceAnswer
        do throws(DNSFault) {
            records = try answer.get()
        } catch {
            outcome = .failure(error)
            return
        }
        found.ttlSeconds = records.ttlSeconds
        // A target that is no host name, such as `.` (RFC 2782: no such service), has no address.
        let targets = records.records.compactMap { record in HostName(parsing: record.target).map { (record, $0) } }
        openQuestions = targets.count
        for (record, name) in targets {
            // A target is a whole name: it is searched in no domain.
            channel.addresses(of: "\(name).", question.family) { [weak self] in self?.add($0, of: record) }
        }
        finish()
    }

    /// Asks for the addresses of each family, of the name that the search has found.
    private func lookUpFamilies(_ answer: Result<NameAnswer, DNSFault>) {
        guard case .success(let host) = answer, let name = host.fullName else {
            outcome = answer
            return
        }
        openQuestions = 2
        for family in [AddressFamily.ipv6, .ipv4] {
            channel.addresses(of: name.hasSuffix(".") ? name : "\(name).", family) { [weak self] in self?.add($0) }
        }
    }

    /// Takes the addresses of one family.
    private func add(_ answer: Result<NameAnswer, DNSFault>) {
        switch answer {
        case .success(let host):
            found.ttlSeconds = min(found.ttlSeconds, host.ttlSeconds)
            found.addresses += host.addresses
        case .failure(let fault) where fault.isAbsence: lastFault = fault
        case .failure: outcome = outcome ?? answer
        }
        openQuestions -= 1
        finish()
    }

    private func add(_ answer: Result<NameAnswer, DNSFault>, of record: ServiceAnswer.Record) {
        switch answer {
        case .success(let host):
            found.ttlSeconds = min(found.ttlSeconds, host.ttlSeconds)
            found.addresses += host.addresses.map {
                ResolvedAddress(
                    $0.address, port: record.port, target: record.target.lowercased(), priority: record.priority,
                    weight: record.weight)
            }
        case .failure(let fault): lastFault = fault
        }
        openQuestions -= 1
        finish()
    }

    private func finish() {
        guard openQuestions == 0, outcome == nil else { return }
        if found.addresses.isEmpty {
            outcome = .failure(lastFault ?? DNSFault(description: "the SRV records name no host"))
        } else {
            outcome = .success(found)
        }
    }

    /// For all servers and search domains together.
    private static let patienceMilliseconds: Int64 = 10_000
}
