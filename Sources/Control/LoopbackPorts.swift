import Glibc
import Policy

/// Ports of 127.0.0.1 that are free now, all different.
public func freeLoopbackPorts(_ count: Int) throws(ControlFault) -> [UInt16] {
    var held: [AdminSocket] = []
    for _ in 0..<count { held.append(try AdminSocket(address: .v4(0x7F00_0001), port: 0)) }
    return held.map(\.port)
}

/// Whether something takes connections on a port of 127.0.0.1 now.
public func loopbackPortIsOpen(_ port: UInt16) -> Bool {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { return false }
    let descriptor = OwnedDescriptor(number)
    return SocketForm(.v4(0x7F00_0001), port: port).connect(descriptor.number) == 0
}
