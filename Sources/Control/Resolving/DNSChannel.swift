import CAres
import CLibEvent
import DataPlane
import Glibc
import Policy
import Resolution
import Settings
import System

/// Asks DNS by c-ares, on the control thread and without another one. Search domains, `ndots`, `/etc/hosts` and the
/// order of addresses are the system's; unlike the system's resolver it tells TTLs and never blocks.
///
/// A channel serves one lookup, so that each goes by `/etc/resolv.conf` as it is then.
@safe
final class DNSChannel {
    private let channel: OpaquePointer
    private let watches: SocketWatches
    /// Within a call that asks: what is answered now was known to this host.
    private var isAsking = false

    /// - Parameters:
    ///   - server: asked instead of those of the host.
    ///   - mark: of its sockets; 0: none.
    ///   - progressed: called after c-ares has handled what a server sent.
    init(on base: EventBase, server: Endpoint?, mark: UInt32, progressed: @escaping () -> Void) throws(DNSFault) {
        watches = SocketWatches(base)
        var options = unsafe ares_options()
        // Unretained, here and below: `watches` outlives the channel, which is destroyed in deinit.
        unsafe options.sock_state_cb_data = Unmanaged.passUnretained(watches).toOpaque()
        unsafe options.sock_state_cb = { context, descriptor, reads, writes in
            let watches = unsafe Unmanaged<SocketWatches>.fromOpaque(context!).takeUnretainedValue()
            watches.set(descriptor, reads: reads != 0, writes: writes != 0)
        }
        var made: OpaquePointer?
        let status = unsafe ares_init_options(&made, &options, ARES_OPT_SOCK_STATE_CB)
        guard status == ARES_SUCCESS, let made = unsafe made else { throw DNSFault(status: status) }
        unsafe channel = made
        watches.mark = mark
        if mark != 0 {
            unsafe ares_set_socket_configure_callback(
                made,
                { descriptor, _, context in
                    let watches = unsafe Unmanaged<SocketWatches>.fromOpaque(context!).takeUnretainedValue()
                    return setMark(watches.mark, of: descriptor) == 0 ? 0 : -1
                }, Unmanaged.passUnretained(watches).toOpaque())
        }
        if let server {
            let status = unsafe ares_set_servers_ports_csv(made, "\(server)")
            guard status == ARES_SUCCESS else {
                unsafe ares_destroy(made)
                throw DNSFault(status: status)
            }
        }
        watches.ready = { [unowned self] descriptor, reads, writes in
            let none = postern_ares_bad_socket
            // The channel is alive, and this is the only thread that uses it.
            unsafe ares_process_fd(channel, reads ? descriptor : none, writes ? descriptor : none)
            progressed()
        }
    }

    deinit {
        // Answers every question that is open.
        unsafe ares_destroy(channel)
        watches.ready = { _, _, _ in }
    }

    /// Asks for the addresses of a host; `answer` is called once, perhaps before this returns.
    func addresses(
        of host: String, _ family: AddressFamily, answer: @escaping (Result<NameAnswer, DNSFault>) -> Void
    ) {
        var hints = ares_addrinfo_hints()
        hints.ai_family =
            switch family {
            case .auto: AF_UNSPEC
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            }
        let reply = unsafe Unmanaged.passRetained(
            Reply { [weak self] (status: Int32, list: UnsafeMutablePointer<ares_addrinfo>?) in
                guard status == ARES_SUCCESS, let list = unsafe list else {
                    return answer(.failure(DNSFault(status: status)))
                }
                defer { unsafe ares_freeaddrinfo(list) }
                var found = unsafe Self.answer(list.pointee)
                if self?.isAsking == true {
                    found.ttlSeconds = Int(Int32.max)
                    found.fullName = nil
                }
                answer(.success(found))
            })
        isAsking = true
        defer { isAsking = false }
        // The strings and the hints are copied; the callback, which c-ares calls once, takes the reply over.
        unsafe ares_getaddrinfo(
            channel, host, nil, &hints,
            { context, status, _, list in
                unsafe Unmanaged<Reply<UnsafeMutablePointer<ares_addrinfo>>>.fromOpaque(context!).takeRetainedValue()
                    .body(status, list)
            }, reply.toOpaque())
    }

    /// Asks for the SRV records of a name; `answer` is called once, perhaps before this returns.
    func services(of name: String, answer: @escaping (Result<ServiceAnswer, DNSFault>) -> Void) {
        let reply = unsafe Unmanaged.passRetained(
            Reply { (status: Int32, response: UnsafeBufferPointer<UInt8>?) in
                guard status == ARES_SUCCESS, let response = unsafe response else {
                    return answer(.failure(DNSFault(status: status)))
                }
                do throws(DNSFlaw) {
                    answer(.success(try ServiceAnswer(parsing: unsafe Array(response))))
                } catch {
                    answer(.failure(DNSFault(description: "\(error)")))
                }
            })
        // As above; the bytes of the response are valid for the callback.
        unsafe ares_search(
            channel, name, postern_dns_class_in, postern_dns_type_srv,
            { context, status, _, bytes, count in
                let response = unsafe UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : Int(count))
                unsafe Unmanaged<Reply<UnsafeBufferPointer<UInt8>>>.fromOpaque(context!).takeRetainedValue()
                    .body(status, response)
            }, reply.toOpaque())
    }

    /// Asks again, or gives up, where a server has not answered in time.
    func checkTimeouts() {
        unsafe ares_process_fd(channel, postern_ares_bad_socket, postern_ares_bad_socket)
    }

    /// Until ``checkTimeouts()`` has something to do; nil if no question is open.
    var millisecondsUntilTimeout: Int? {
        var time = timeval()
        // It fills `time`, and returns its address, or nil without a question.
        guard unsafe ares_timeout(channel, nil, &time) != nil else { return nil }
        return time.tv_sec * 1_000 + Int(time.tv_usec) / 1_000 + 1
    }

    private static func answer(_ list: ares_addrinfo) -> NameAnswer {
        var answer = NameAnswer(addresses: [], ttlSeconds: Int(Int32.max))
        // Strings and nodes are c-ares' own, until the caller frees the list.
        answer.fullName = unsafe list.name.map { unsafe String(cString: $0) }
        var next = unsafe list.nodes
        // A list of c-ares, alive until the caller frees it.
        while let node = unsafe next, answer.addresses.count < addressesReadAtMost {
            if let address = unsafe SocketAddress(copying: node.pointee.ai_addr, count: Int(node.pointee.ai_addrlen)) {
                answer.addresses.append(ResolvedAddress(address.endpoint.address))
                answer.ttlSeconds = unsafe min(answer.ttlSeconds, max(0, Int(node.pointee.ai_ttl)))
            }
            unsafe next = node.pointee.ai_next
        }
        return answer
    }

    private static let addressesReadAtMost = 4_096
}

/// Why a lookup failed.
struct DNSFault: Error, Hashable, CustomStringConvertible {
    let description: String
    /// A server said that there is no such name, or no record of this kind.
    var isAbsence = false

    init(description: String) { self.description = description }

    init(status: Int32) {
        // c-ares' text is a constant.
        description = unsafe String(cString: ares_strerror(status))
        isAbsence = status == ARES_ENOTFOUND || status == ARES_ENODATA
    }
}

/// The one answer to a question; c-ares holds it until then.
private final class Reply<Value> {
    let body: (Int32, Value?) -> Void

    init(_ body: @escaping (Int32, Value?) -> Void) { self.body = body }
}

/// The sockets of a channel, as c-ares wants them watched.
private final class SocketWatches {
    var ready: (_ descriptor: Int32, _ reads: Bool, _ writes: Bool) -> Void = { _, _, _ in }
    var mark: UInt32 = 0
    private let base: EventBase
    private var reads: [Int32: EventWatch] = [:]
    private var writes: [Int32: EventWatch] = [:]

    init(_ base: EventBase) { self.base = base }

    func set(_ descriptor: Int32, reads wantsReads: Bool, writes wantsWrites: Bool) {
        // Without memory for an event the time-out ends the question.
        if wantsReads != (reads[descriptor] != nil) {
            reads[descriptor] =
                wantsReads
                ? try? EventWatch(base, descriptor: descriptor) { [unowned self] in ready(descriptor, true, false) }
                : nil
        }
        if wantsWrites != (writes[descriptor] != nil) {
            writes[descriptor] =
                wantsWrites
                ? try? EventWatch(base, descriptor: descriptor, for: .writing) { [unowned self] in
                    ready(descriptor, false, true)
                } : nil
        }
    }
}
