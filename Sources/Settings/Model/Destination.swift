public import Policy

/// Where clients of a transparent listener may want to go, as a route names it.
public enum Destination: Hashable, Sendable, CustomStringConvertible {
    case block(CIDR)
    /// Every address that the name stands for now.
    case name(HostName)

    public var description: String {
        switch self {
        case .block(let block): "\(block)"
        case .name(let name): "\(name)"
        }
    }

    /// Whether this provably holds wherever `other` does.
    func covers(_ other: Destination) -> Bool {
        switch (self, other) {
        case (.block(let block), .block(let other)): block.contains(other)
        default: self == other
        }
    }
}

extension RouteMatch {
    /// The names among its destinations.
    public var questions: [NameQuestion] {
        destinations.compactMap { if case .name(let name) = $0 { NameQuestion(destination: name) } else { nil } }
    }
}
