public import ApplicationHealth
import Glibc
public import Policy
import Synchronization
import System

/// Asks the application of a pod how it is, on behalf of kubelet. Belongs to the control thread.
///
/// Each probe runs on a thread of its own. While one runs, all who ask for it wait for its outcome, so that there are
/// never more of them than the environment lists.
final class HealthChecks {
    /// Outcomes; any thread.
    private final class Results: Sendable {
        let wake: ControlWake
        private let waiting = Mutex<[(path: String, outcome: ProbeRun.Outcome)]>([])

        init() throws(ControlFault) { wake = try ControlWake() }

        func post(_ path: String, _ outcome: ProbeRun.Outcome) {
            waiting.withLock { $0.append((path, outcome)) }
            wake.signal()
        }

        func take() -> [(path: String, outcome: ProbeRun.Outcome)] {
            waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
        }
    }

    static let waitersAtMost = 8

    typealias Answer = (ProbeRun.Outcome) -> Void

    private let list: ProbeList
    private let addresses: [IPAddress]
    private let results: Results
    /// Who waits for the probe of a path that is under way.
    private var waiting: [String: [Answer]] = [:]
    /// Of each probe's last run.
    private var latest: [String: ProbeRun.Outcome] = [:]

    /// - Parameter addresses: of the pod.
    init(_ list: ProbeList, addresses: [IPAddress] = [], on loop: ControlLoop) throws(ControlFault) {
        self.list = list
        self.addresses = addresses
        results = try Results()
        try loop.watch(eventDescriptor: results.wake.number)
    }

    /// Signalled when a probe has ended.
    var wakeDescriptor: Int32 { results.wake.number }

    /// How long the answer may take; nil if there is no such probe.
    func timeoutMilliseconds(_ path: String) -> Int? { list.probes[path]?.timeoutMilliseconds }

    /// Runs the probe of a path of the list, and calls back later.
    ///
    /// - Parameters:
    ///   - host: under which kubelet asked, without a port.
    ///   - userAgent: kubelet's.
    func check(_ path: String, host: String, userAgent: String?, _ answer: @escaping Answer) {
        guard let probe = list.probes[path] else {
            return answer(.failed(reason: "there is no such probe", status: nil))
        }
        // Each holds a connection until the probe ends, and kubelet asks for one at a time. Where others crowd it out,
        // it gets the outcome of the run before, which has just ended: they must not make the application seem ill.
        guard waiting[path, default: []].count < Self.waitersAtMost else {
            let none = ProbeRun.Outcome.failed(reason: "\(Self.waitersAtMost) wait for its first answer", status: nil)
            return answer(latest[path] ?? none)
        }
        waiting[path, default: []].append(answer)
        guard waiting[path]?.count == 1 else { return }
        let run = ProbeRun(probe: probe, host: host, userAgent: userAgent ?? "postern", addresses: addresses)
        do throws(ControlFault) {
            _ = try PosixThread.spawn(name: "health") { [results] in results.post(path, run.run()) }
        } catch {
            end(path, .failed(reason: "the proxy cannot ask: \(error)", status: nil))
        }
    }

    /// Answers those whose probe has ended.
    func takeResults() { for (path, outcome) in results.take() { end(path, outcome) } }

    private func end(_ path: String, _ outcome: ProbeRun.Outcome) {
        latest[path] = outcome
        for answer in waiting.removeValue(forKey: path) ?? [] { answer(outcome) }
    }
}

/// The environment's list of probes.
public enum HealthEnvironment {
    public static let name = "POSTERN_APP_PROBES"

    public static let addressesName = "POSTERN_POD_IPS"

    /// What is to be asked; nil if there is no list.
    ///
    /// - Parameter hasAdmin: whether the settings have an admin endpoint, which answers.
    public static func probes(hasAdmin: Bool) throws(ProbeListFlaw) -> ProbeList? {
        guard let text = value(name) else { return nil }
        do throws(ProbeListFlaw) {
            let list = try ProbeList(parsing: text)
            guard hasAdmin else { throw ProbeListFlaw("the settings have no `admin`, which would answer them") }
            return list
        } catch {
            throw ProbeListFlaw("\(name): \(error)")
        }
    }

    /// The addresses of the pod, as the downward API writes `status.podIPs`.
    public static func addresses() throws(ProbeListFlaw) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for text in (value(addressesName) ?? "").split(separator: ",").prefix(addressesAtMost) {
            guard let address = IPAddress(parsing: String(text)) else {
                throw ProbeListFlaw("\(addressesName): \"\(text.prefix(64))\" is no IP address")
            }
            addresses.append(address)
        }
        return addresses
    }

    private static let addressesAtMost = 4

    /// Nil if it is not set, or empty.
    private static func value(_ name: String) -> String? {
        // Nothing in this process changes the environment, but its first step.
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
