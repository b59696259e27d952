/// A value together with the place in the settings file that it came from.
public struct Located<Value> {
    public var value: Value
    public var position: Position

    public init(_ value: Value, at position: Position) {
        self.value = value
        self.position = position
    }
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}
extension Located: Hashable where Value: Hashable {}
