/// Name compression: "(7) text" defines number 7, "(7)" refers to it.
struct CallgrindNames {
    enum Kind { case object, function }

    private var objects: [Substring: String] = [:]
    private var functions: [Substring: String] = [:]

    mutating func resolve(_ value: Substring, of kind: Kind) throws(CallgrindFlaw) -> String {
        guard value.utf8.first == UInt8(ascii: "("), let end = value.utf8.firstIndex(of: UInt8(ascii: ")")) else {
            return String(value)
        }
        let number = value[...end]
        let rest = value.utf8[value.utf8.index(after: end)...].drop { $0 == UInt8(ascii: " ") }
        if rest.isEmpty {
            guard let name = kind == .object ? objects[number] : functions[number] else {
                throw .unknownName(String(number))
            }
            return name
        }
        let name = String(Substring(rest))
        switch kind {
        case .object: objects[number] = name
        case .function: functions[number] = name
        }
        return name
    }
}
