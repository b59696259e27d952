import Glibc

@testable import EventLoop
import System

/// The other end of the loop's sockets, in the kernel or in a simulation.
protocol OutsideWorld: AnyObject {
    /// A listening descriptor for the loop.
    func listen(isIPv6: Bool, backlog: Int32) throws -> (descriptor: Int32, address: SocketAddress)
    /// Dials the loop's listener.
    func dial(_ address: SocketAddress) throws -> any OutsidePeer
    /// A server for the loop to dial.
    func serve(isIPv6: Bool) throws -> any OutsideServer
    /// An address at which nobody listens.
    func deadAddress() throws -> SocketAddress
    /// An address that never answers a dial.
    func hangingAddress() throws -> SocketAddress
}

protocol OutsideServer: AnyObject {
    var address: SocketAddress { get }
    /// The oldest established connection; nil if there is none.
    func take() -> (any OutsidePeer)?
}

/// The other end of one connection; nothing here waits.
protocol OutsidePeer: AnyObject {
    /// How many bytes were taken.
    func write(_ bytes: [UInt8]) -> Int
    func read(_ limit: Int) -> [UInt8]
    /// All was read and FIN has come. Valid once a read has found nothing.
    var isFinished: Bool { get }
    var wasReset: Bool { get }
    var localAddress: SocketAddress? { get }
    func shutdownWrite()
    func reset()
    func close()
}
