import CLibEvent
import Glibc
import System

/// The listening sockets of the admin endpoint, which evhttp owns. Belongs to the control thread.
@safe
final class AdminListeners {
    private var listeners: [OpaquePointer] = unsafe []
    private var isPaused = false

    /// Accepts on a socket, which is handed over; false without memory.
    func add(_ socket: AdminSocket, to http: OpaquePointer) -> Bool {
        // The server is live; it closes the socket when it is freed.
        guard let bound = unsafe evhttp_accept_socket_with_handle(http, socket.number) else { return false }
        socket.handOver()
        if let listener = unsafe evhttp_bound_socket_get_listener(bound) {
            unsafe AdminServer.pauseWhenDescriptorsRunOut(listener)
            if isPaused { unsafe evconnlistener_disable(listener) }
            unsafe listeners.append(listener)
        }
        return true
    }

    func pause(_ pauses: Bool) {
        isPaused = pauses
        for index in unsafe listeners.indices {
            // The listener belongs to the server, which owns these connections.
            _ = unsafe pauses ? evconnlistener_disable(listeners[index]) : evconnlistener_enable(listeners[index])
        }
    }
}
