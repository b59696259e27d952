import CLibEvent
import DataPlane
import Glibc
import Policy
import Settings
import Synchronization
import System

/// Distinct ports of 127.0.0.1 that are free now.
///
/// They lie below the ephemeral range, so that no outgoing connection takes one before its use. This process gives none
/// twice until it has given all, so that two that ask before either binds do not meet; another process begins
/// elsewhere.
public func freeLoopbackPorts(_ count: Int) throws(ControlFault) -> [UInt16] {
    var held: [AdminSocket] = []
    var attempts = 0
    while held.count < count {
        attempts += 1
        do throws(ControlFault) {
            held.append(try AdminSocket(Endpoint(address: loopback, port: nextPort())))
        } catch {
            guard attempts < 1_000 else { throw error }
        }
    }
    return held.compactMap(\.port)
}

/// Whether something accepts connections on a port of 127.0.0.1 now.
public func loopbackPortIsOpen(_ port: UInt16) -> Bool {
    let number = socket(AF_INET, postern_stream_socket, 0)
    guard number >= 0 else { return false }
    let descriptor = OwnedDescriptor(number)
    return SocketAddress(Endpoint(address: loopback, port: port)).connect(descriptor.number) == 0
}

private func nextPort() -> UInt16 {
    let ports = 20_000..<32_000
    let turn = given.wrappingAdd(1, ordering: .relaxed).oldValue
    return UInt16(ports.lowerBound + turn % ports.count)
}

/// How many ports were given, from a random start.
private let given = Atomic(Int.random(in: 0..<12_000))

private let loopback = IPAddress.v4(0x7F00_0001)
