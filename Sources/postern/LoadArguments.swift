import ArgumentParser

/// A number of bytes: `512`, `1KiB`, `1MiB`.
struct SizeArgument: ExpressibleByArgument, CustomStringConvertible {
    let bytes: Int
    let description: String

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let units: [Substring: Int] = ["": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        guard let number = Int(digits), number <= 1 << 30, let unit = units[argument.dropFirst(digits.count)] else {
            return nil
        }
        bytes = number * unit
        description = argument
    }
}

/// Text, or hexadecimal bytes after `0x`.
struct BytesArgument: ExpressibleByArgument, CustomStringConvertible {
    let bytes: [UInt8]
    let description: String

    init?(argument: String) {
        description = argument
        guard argument.hasPrefix("0x") else {
            bytes = Array(argument.utf8)
            return
        }
        let digits = argument.dropFirst(2).map(\.hexDigitValue)
        guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
        bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8((digits[$0] ?? 0) * 16 + (digits[$0 + 1] ?? 0)) }
    }
}

/// `DOMAIN=FILE`: the root certificates of a trust domain.
struct BundleArgument: ExpressibleByArgument {
    let domain: String
    let path: String

    init?(argument: String) {
        guard let mark = argument.firstIndex(of: "="), mark > argument.startIndex,
            argument.index(after: mark) < argument.endIndex
        else { return nil }
        domain = String(argument[..<mark])
        path = String(argument[argument.index(after: mark)...])
    }
}
