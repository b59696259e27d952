/// The median; 0 of nothing.
public func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// A number with the given decimals and thousands separators: `35,792`, `0.45`, `-1.5`.
public func decimalText(_ value: Double, places: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "-" }
    var scale = 1
    for _ in 0..<places { scale *= 10 }
    let scaled = Int((value.magnitude * Double(scale)).rounded())
    var whole = ""
    for (index, digit) in String(scaled / scale).reversed().enumerated() {
        if index > 0, index % 3 == 0 { whole.append(",") }
        whole.append(digit)
    }
    let sign = value < 0 && scaled > 0 ? "-" : ""
    let integer = sign + String(whole.reversed())
    guard places > 0 else { return integer }
    let fraction = String(scaled % scale)
    return "\(integer)." + String(repeating: "0", count: places - fraction.count) + fraction
}
