import CLibEvent

/// Calls back 50 ms after each ``arm()``, to look for connections whose time is over. Belongs to the control thread.
@safe
package final class SweepTimer {
    package var sweep: () -> Void = {}
    private let base: EventBase
    private var event: OpaquePointer?

    package init(_ base: EventBase) throws(ControlFault) {
        self.base = base
        unsafe event = nil
        // Unretained: the event is freed in this object's deinit, before the object is gone.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let made = unsafe event_new(
            base.pointer, -1, 0,
            { _, _, context in unsafe Unmanaged<SweepTimer>.fromOpaque(context!).takeUnretainedValue().sweep() },
            context)
        guard let made = unsafe made else { throw .libevent(call: "event_new") }
        unsafe event = made
    }

    // Freed before the base, which this object retains.
    deinit { if let event = unsafe event { unsafe event_free(event) } }

    package func arm() {
        // The event is freed in deinit.
        _ = unsafe postern_event_after(event, 50)
    }
}
