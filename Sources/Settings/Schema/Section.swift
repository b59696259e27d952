/// A mapping of the settings file: its keys in the recommended order, and where their values are stored.
struct Section<Target: Sendable>: Sendable {
    /// The initial values of the properties: the keys' defaults.
    let initial: Target
    let entries: [Entry<Target>]
    /// In alphabetical order.
    let names: [String]
    let declarations: [Declaration]

    /// - Parameter initial: properties of keys without a default may have any value.
    init(of initial: Target, _ entries: [Entry<Target>]) {
        self.initial = initial
        self.entries = entries
        names = entries.map(\.name).sorted()
        declarations = entries.map { $0.declaration(initial) }
    }

    /// The paths of the keys that differ between two values and apply at the next start, from this section on.
    func keysForNextStart(from old: Target, to new: Target) -> [String] {
        entries.flatMap { $0.keysForNextStart(old, new) }
    }
}

extension Section<Void> {
    /// A section read by a function of its own.
    init(_ entries: [Entry<Void>]) { self.init(of: (), entries) }
}

/// Values read and not yet assigned to the model.
struct Landing<Target> {
    /// False if a key is flawed or misspelt.
    private(set) var isSound = true
    private var assignments: [(inout Target) -> Void] = []

    /// Adds the value of a key; nil if it is missing or flawed.
    mutating func add<Value>(
        _ value: Value?, of key: Key<Value>, in fields: Fields, assign: @escaping (inout Target, Value) -> Void
    ) {
        guard let value else {
            if fields.speaks(of: key) { isSound = false }
            return
        }
        assignments.append { assign(&$0, value) }
    }

    func apply(to target: inout Target) {
        for assign in assignments { assign(&target) }
    }
}
