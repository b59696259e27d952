import Foundation

/// A connection to a loopback port; -1 if there is none.
func connected(to port: UInt16) -> Int32 {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    // The address is of the family and length that are said, and outlives the call.
    let status = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard status == 0 else {
        close(number)
        return -1
    }
    return number
}

/// Sends `request` to a loopback port and returns all that comes back until the end; `half` closes our direction first.
func exchange(_ request: String, port: UInt16, half: Bool = false) -> String {
    let number = connected(to: port)
    guard number >= 0 else { return "no connection to \(port)" }
    defer { close(number) }
    let bytes = Array(request.utf8)
    // Both arrays are as long as is said.
    _ = unsafe send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    if half { shutdown(number, Int32(SHUT_WR)) }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
        let count = unsafe recv(number, &buffer, buffer.count, 0)
        guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
        answer += buffer[..<count]
    }
}

/// A listener that holds a loopback port; -1 if it cannot.
func listening(on port: UInt16) -> Int32 {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    // The address is of the family and length that are said, and outlives the call.
    let status = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    return status == 0 && listen(number, 1) == 0 ? number : -1
}
