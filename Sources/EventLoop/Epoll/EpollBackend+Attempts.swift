import CLibURing
import Glibc
import System

/// The system calls, attempted when they may succeed.
extension EpollBackend {
    mutating func attempt(_ descriptor: Int32) {
        let state = states[descriptor]
        if state.wants.contains(.connect) { attemptConnect(descriptor, state) }
        if state.wants.contains(.send), state.writable { attemptSend(descriptor, state) }
        if state.wants.contains(.receive), state.readable { attemptReceive(descriptor, state) }
        if state.wants.contains(.accept), state.readable { attemptAccept(descriptor, state.readToken) }
    }

    private mutating func attemptReceive(_ descriptor: Int32, _ state: DescriptorState) {
        guard receivesLeft > 0, let buffer = free.take() else {
            // The next tick's buffers are for the sockets that got none in this one.
            starved += 1
            enqueue(descriptor)
            return
        }
        // Safe: the buffer is ours until it is given back, and is as long as said.
        let received = systemCall {
            unsafe recv(descriptor, buffers.pointer(buffer), buffers.receiveBytes, postern_msg_dontwait)
        }
        if received > 0 {
            states.update(descriptor) { state in
                state.wants.remove(.receive)
                state.readable = state.hangup || received == buffers.receiveBytes
            }
            buffers.lend(buffer)
            receivesLeft -= 1
            budget.received(received)
            completions.append(Completion(token: state.readToken, result: Int32(received), buffer: buffer))
            return
        }
        free.put(buffer)
        if received == Int(0 - EAGAIN) {
            states.update(descriptor) { $0.readable = false }
            return
        }
        states.update(descriptor) { $0.wants.remove(.receive) }
        completions.append(Completion(token: state.readToken, result: Int32(received)))
    }

    private mutating func attemptSend(_ descriptor: Int32, _ state: DescriptorState) {
        let flags = postern_msg_nosignal | postern_msg_dontwait
        // Safe: the owner keeps the bytes until the completion.
        let sent = systemCall { unsafe Glibc.send(descriptor, state.bytes, state.count, flags) }
        if sent == Int(0 - EAGAIN) {
            states.update(descriptor) { $0.writable = false }
            return
        }
        states.update(descriptor) { state in
            state.wants.remove(.send)
            // After an error there is no edge to wait for; the next send is to fail too.
            state.writable = sent == state.count || sent < 0
        }
        completions.append(Completion(token: state.writeToken, result: Int32(sent)))
    }

    private mutating func attemptConnect(_ descriptor: Int32, _ state: DescriptorState) {
        var result = state.connectResult
        if result == 0 - EINPROGRESS {
            // Not before the edge: reading the error clears it.
            guard state.writable else { return }
            var code: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            // Safe: the kernel writes four bytes.
            _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
            result = 0 - code
        }
        states.update(descriptor) { state in
            state.wants.remove(.connect)
            state.writable = true
        }
        completions.append(Completion(token: state.writeToken, result: result))
    }

    private mutating func attemptAccept(_ descriptor: Int32, _ token: OperationToken) {
        let flags = postern_sock_cloexec | postern_sock_nonblock
        for _ in 0..<Self.acceptsATry {
            let accepted = systemCall { Int(postern_accept(descriptor, flags)) }
            if accepted == Int(0 - EAGAIN) {
                states.update(descriptor) { $0.readable = false }
                return
            }
            guard accepted >= 0 else {
                states.update(descriptor) { $0.wants.remove(.accept) }
                completions.append(Completion(token: token, result: Int32(accepted)))
                return
            }
            begin(Int32(accepted))
            completions.append(Completion(token: token, result: Int32(accepted), more: true))
        }
        enqueue(descriptor)
    }
}
