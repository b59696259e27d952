import Glibc

/// The C library's text for an errno, such as "Permission denied". Any thread.
public func systemMessage(_ errno: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    let room = buffer.count
    // The POSIX variant writes a terminated string of at most `room` bytes into the array, which outlives the call.
    guard unsafe strerror_r(errno, &buffer, room) == 0 else { return "error \(errno)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// The text of an errno with its number, such as "Permission denied (13)".
public func describe(_ errno: Int32) -> String { "\(systemMessage(errno)) (\(errno))" }
