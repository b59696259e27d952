import Dispatch
import Glibc
import Synchronization
import System
import Testing

@Suite("The operating system")
struct SystemTests {
    @Test("describes an errno in words, with its number on request")
    func errorText() {
        #expect(systemMessage(EACCES) == "Permission denied")
        #expect(describe(EACCES) == "Permission denied (13)")
    }

    @Test("resolves numeric addresses")
    func resolving() throws {
        #expect(try SocketAddress.resolve("127.0.0.1", port: 80) == [SocketAddress(v4: 0x7F00_0001, port: 80)])
        #expect(try SocketAddress.resolve("::1", port: 443) == [SocketAddress(v6: 0, 1, port: 443)])
        #expect(throws: ResolverFault.self) { try SocketAddress.resolve("no host", port: 1) }
    }

    @Test("runs a thread that can be waited for")
    func thread() throws {
        let done = Flag()
        try PosixThread { done.value.store(true, ordering: .relaxed) }.join()
        #expect(done.isSet)
    }

    @Test("closes an owned descriptor at the end of its owner, and leaves one that was released")
    func descriptors() throws {
        // The C string lives for the length of the call.
        let number = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        #expect(OwnedDescriptor(number).release() == number)
        #expect(fcntl(number, F_GETFD) >= 0)
        closeDescriptor(number)
        // Of a socket that could not be made there is nothing to close.
        #expect(OwnedDescriptor(socket(-1, 0, 0)).number == -1)
    }

    @Test("keeps two clocks, of which one begins in 1970")
    func clocks() {
        #expect(abs(WallClock.seconds() - Int64(time(nil))) <= 1)
        let before = MonotonicClock.nanoseconds()
        #expect(MonotonicClock.nanoseconds() >= before)
    }
}

private final class Flag: Sendable {
    let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
}

@Suite("A call without a deadline")
struct PatientCallTests {
    @Test("is answered from another thread, or abandoned at the time-out")
    func deadline() throws {
        #expect(try answer(withinMilliseconds: 60_000) { 7 } == 7)
        let release = DispatchSemaphore(value: 0)
        #expect(
            try answer(withinMilliseconds: 20) {
                release.wait()
                return 7
            } == nil)
        release.signal()
    }

    @Test("asks the resolver, whose refusal it passes on")
    func resolver() throws {
        let addresses = try SocketAddress.resolve("127.0.0.1", port: 80, withinMilliseconds: 60_000)
        #expect(addresses == [SocketAddress(v4: 0x7F00_0001, port: 80)])
        #expect(throws: ResolverFault.self) {
            try SocketAddress.resolve("no host.invalid", port: 80, withinMilliseconds: 60_000)
        }
    }
}
