import Policy

extension SettingsReader {
    /// `true` or `false`; YAML 1.1's other spellings get a message of their own.
    mutating func boolean(_ node: Node) -> Bool? {
        guard let scalar = scalar(node, expected: "true or false") else { return nil }
        switch (scalar.text, scalar.style) {
        case ("true", .plain): return true
        case ("false", .plain): return false
        case ("true", .quoted), ("false", .quoted):
            return refuse("expected true or false, found text: leave the quotes out", at: node.position)
        default:
            let remedy =
                switch scalar.text.lowercased() {
                case "yes", "y", "on", "true": ": write `true`"
                case "no", "n", "off", "false": ": write `false`"
                default: ""
                }
            return refuse("expected true or false, found \(quoted(scalar.text))\(remedy)", at: node.position)
        }
    }

    /// A whole number in decimal digits, without quotes.
    mutating func integer(_ node: Node, in range: ClosedRange<Int>) -> Int? {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let scalar = scalar(node, expected: expected) else { return nil }
        guard let number = decimal(scalar.text) else {
            return refuse("expected \(expected), found \(quoted(scalar.text))", at: node.position)
        }
        guard scalar.style == .plain else {
            return refuse("expected \(expected), found text: leave the quotes out", at: node.position)
        }
        guard range.contains(number) else {
            return refuse("expected \(expected), found \(quoted(scalar.text))", at: node.position)
        }
        return number
    }

    /// A duration such as `250ms`, in milliseconds.
    mutating func milliseconds(_ node: Node, in range: ClosedRange<Int>) -> Int? {
        quantity(node, DurationText.self, "a duration", in: range)
    }

    /// An amount of memory such as `64MiB`, in bytes.
    mutating func size(_ node: Node, in range: ClosedRange<Int>) -> Int? {
        quantity(node, SizeText.self, "a size", in: range)
    }

    private mutating func quantity<Kind: Quantity>(
        _ node: Node, _ kind: Kind.Type, _ name: String, in range: ClosedRange<Int>
    ) -> Int? {
        guard let text = scalar(node, expected: Kind.expected)?.text else { return nil }
        guard let quantity = Kind(text) else {
            let remedy = decimal(text) == nil ? "" : ": add a unit, such as `\(text)\(Kind.usualUnit)`"
            return refuse("expected \(Kind.expected), found \(quoted(text))\(remedy)", at: node.position)
        }
        guard range.contains(quantity.count) else {
            let (least, most) = (Kind(range.lowerBound), Kind(range.upperBound))
            return refuse("expected \(name) from \(least) to \(most), found \(quoted(text))", at: node.position)
        }
        return quantity.count
    }

    /// One of the words of an enumeration.
    mutating func choice<Choice>(_ node: Node, of type: Choice.Type = Choice.self) -> Choice?
    where Choice: CaseIterable & RawRepresentable<String> {
        let words = Choice.allCases.map(\.rawValue)
        let expected = "one of " + words.joined(separator: ", ")
        guard let text = scalar(node, expected: expected)?.text else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        return refuse(
            "expected \(expected), found \(quoted(text))\(suggestion(for: text, among: words))", at: node.position)
    }

    /// An address and a port; host names are refused, because they are not resolved.
    mutating func endpoint(_ node: Node, port: PortRule) -> Endpoint? {
        let expected = "an endpoint such as 127.0.0.1:80 or \"[::1]:80\""
        guard let text = scalar(node, expected: expected)?.text else { return nil }
        let endpoint: Endpoint
        do throws(EndpointFlaw) {
            endpoint = try Endpoint(parsing: text)
        } catch {
            return refuse("expected \(expected), found \(quoted(text)): \(error)", at: node.position)
        }
        guard endpoint.port != 0 || port == .kernelMayChoose else {
            return refuse("port 0 cannot be dialled: name the port of the upstream", at: node.position)
        }
        return endpoint
    }

    enum PortRule {
        case kernelMayChoose, mustBeNamed
    }
}

/// A number of decimal digits without leading zeros; nil beyond the range of Int.
func decimal(_ text: String) -> Int? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return text.hasPrefix("0") && text != "0" ? nil : Int(text)
}
