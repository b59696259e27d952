/// A dictionary of at most `capacity` entries; a new entry evicts the oldest.
package struct BoundedCache<Key: Hashable, Value> {
    private var entries: [Key: Value] = [:]
    /// Keys in the order of their insertion, as a ring; a removed key may still be here.
    private var ring: [Key] = []
    private var next = 0
    private let capacity: Int

    package init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    package var count: Int { entries.count }

    package subscript(key: Key) -> Value? { entries[key] }

    package mutating func insert(_ value: Value, for key: Key) {
        guard entries.updateValue(value, forKey: key) == nil else { return }
        if ring.count < capacity {
            ring.append(key)
        } else {
            if ring[next] != key { entries[ring[next]] = nil }
            ring[next] = key
            next = (next + 1) % capacity
        }
    }

    /// A cache of the entries that `isIncluded` holds for.
    package func filter(_ isIncluded: (Value) -> Bool) -> BoundedCache {
        var rest = self
        for (key, value) in entries where !isIncluded(value) { rest.remove(key) }
        return rest
    }

    package mutating func remove(_ key: Key) { entries[key] = nil }
}
