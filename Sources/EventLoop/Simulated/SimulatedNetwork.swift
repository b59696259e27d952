/// Placeholder shape
public final class SimulatedNetwork {
    let buffers: ReceiveBuffers
    var completions = CompletionQueue(capacity: 64)
    var now: UInt64 = 0
    var wallClock: Int64 = 0
    public init() throws(EventLoopFault) { buffers = try ReceiveBuffers(count: 4, bufferBytes: 4096) }
    func accept(_ listener: Int32, _ token: OperationToken) {}
    func receive(_ descriptor: Int32, _ token: OperationToken) {}
    func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ token: OperationToken) {}
    func connect(_ descriptor: Int32, to address: SocketAddress, _ token: OperationToken) {}
    func cancel(_ descriptor: Int32, _ token: OperationToken) {}
    func giveBack(_ buffer: Int32) {}
    func tick(timeoutNanoseconds: UInt64) -> Int { 0 }
    func openSocket() -> Int32 { 0 }
    func shutdownWrite(_ descriptor: Int32) {}
    func close(_ descriptor: Int32, reset: Bool) {}
    func address(of descriptor: Int32, _ end: SocketEnd) -> SocketAddress? { nil }
}
