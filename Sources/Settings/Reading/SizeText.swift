/// An amount of memory: a whole number and `B`, `KiB`, `MiB` or `GiB`, or `Ki`, `Mi` or `Gi` as Kubernetes writes it.
struct SizeText: Quantity {
    let count: Int

    init(_ bytes: Int) { count = bytes }

    // The names that are written come first.
    static let units: [(name: String, count: Int)] = [
        (name: "GiB", count: 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("Gi", 1 << 30), ("Mi", 1 << 20),
        ("Ki", 1 << 10), ("B", 1),
    ]
    static let expected = "a size such as 64MiB or 1GiB"
    static let usualUnit = "MiB"
}
