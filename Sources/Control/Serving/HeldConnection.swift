import CLibEvent
import Glibc

/// A reference to a connection, which evhttp may already have closed: it does not report that. Belongs to the control
/// thread.
@safe
package final class HeldConnection {
    package let buffers: OpaquePointer

    package init(_ buffers: OpaquePointer) {
        // We hold a reference, so the pointer is valid until deinit.
        unsafe bufferevent_incref(buffers)
        unsafe self.buffers = buffers
    }

    deinit { unsafe bufferevent_decref(buffers) }

    /// Whether evhttp has released it: it then has no callbacks.
    package var isOver: Bool {
        guard unsafe bufferevent_getfd(buffers) >= 0 else { return true }
        var event: bufferevent_event_cb?
        unsafe bufferevent_getcb(buffers, nil, nil, &event, nil)
        return unsafe event == nil
    }

    /// evhttp reads end of stream, and frees it; while a request is being answered, it is freed after that.
    package func cut() {
        let descriptor = unsafe bufferevent_getfd(buffers)
        if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
}
