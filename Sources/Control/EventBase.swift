import CLibEvent
import Glibc
import Logging

/// Owns libevent's `event_base`, and one timer on it. Belongs to the control thread.
@safe
package final class EventBase {
    package let pointer: OpaquePointer
    private(set) var timerFired = false
    private var timer: OpaquePointer?

    init() throws(ControlFault) {
        guard let pointer = unsafe event_base_new() else { throw .libevent(call: "event_base_new") }
        unsafe self.pointer = pointer
        unsafe timer = nil
        // Unretained: the timer is freed in this object's deinit, before the object is gone.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let made = unsafe event_new(
            pointer, -1, 0,
            { _, _, context in
                unsafe Unmanaged<EventBase>.fromOpaque(context!).takeUnretainedValue().timerFired = true
            }, context)
        guard let made = unsafe made else { throw .libevent(call: "event_new") }
        unsafe timer = made
    }

    deinit {
        // Every watch retains the base, so only this timer is left on it.
        if let timer = unsafe timer { unsafe event_free(timer) }
        unsafe event_base_free(pointer)
    }

    /// Runs callbacks until `isDone`, or for that long.
    func run(milliseconds: Int, until isDone: () -> Bool) {
        armTimer(milliseconds: milliseconds)
        defer { disarmTimer() }
        while !isDone(), !timerFired { runOnce() }
    }

    /// Blocks until at least one callback has run.
    func runOnce() {
        // The base is alive, and this is the only thread that uses it.
        _ = unsafe event_base_loop(pointer, EVLOOP_ONCE)
    }

    func armTimer(milliseconds: Int) {
        timerFired = false
        // The timer is freed in deinit.
        _ = unsafe postern_event_after(timer, Int32(clamping: milliseconds))
    }

    func disarmTimer() { _ = unsafe event_del(timer) }
}

/// Calls back whenever a descriptor is readable, or writable, for the lifetime of the value. Belongs to the control
/// thread.
@safe
package final class EventWatch {
    package enum Readiness {
        case reading, writing
    }

    private let base: EventBase
    private let callback: () -> Void
    private var event: OpaquePointer?

    package init(
        _ base: EventBase, descriptor: Int32, for readiness: Readiness = .reading, _ callback: @escaping () -> Void
    ) throws(ControlFault) {
        self.base = base
        self.callback = callback
        unsafe event = nil
        // Unretained: the event is freed in this object's deinit, before the object is gone.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let made = unsafe event_new(
            base.pointer, descriptor, Int16((readiness == .reading ? EV_READ : EV_WRITE) | EV_PERSIST),
            { _, _, context in unsafe Unmanaged<EventWatch>.fromOpaque(context!).takeUnretainedValue().callback() },
            context)
        guard let made = unsafe made else { throw .libevent(call: "event_new") }
        unsafe event = made
        guard unsafe event_add(made, nil) == 0 else { throw .libevent(call: "event_add") }
    }

    deinit { if let event = unsafe event { unsafe event_free(event) } }
}

/// Sends libevent's own messages to the log instead of stderr.
func routeLibeventLog() {
    // The callback is a plain function without context; the C string is valid for the call.
    unsafe event_set_log_callback { severity, text in
        guard severity >= EVENT_LOG_WARN, let text = unsafe text else { return }
        Logger(label: "libevent").warning("\(unsafe String(cString: text))")
    }
}
