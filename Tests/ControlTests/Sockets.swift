import Foundation
import System

/// A connection to a loopback port; -1 if there is none.
func connected(to port: UInt16) -> Int32 {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let status = SocketAddress(v4: 0x7F00_0001, port: port).connect(number)
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
    let status = SocketAddress(v4: 0x7F00_0001, port: port).bind(number)
    return status == 0 && listen(number, 1) == 0 ? number : -1
}
