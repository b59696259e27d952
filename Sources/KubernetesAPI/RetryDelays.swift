/// How long to wait before the next attempt: twice as long each time, up to a limit, and up to twice that at random, so
/// that clients which failed together do not return together. Pure.
public struct RetryDelays: Hashable, Sendable {
    private let firstMilliseconds: Int
    private let longestMilliseconds: Int
    private var nextMilliseconds: Int

    public init(firstMilliseconds: Int = 500, longestMilliseconds: Int = 30_000) {
        precondition(0 < firstMilliseconds && firstMilliseconds <= longestMilliseconds)
        self.firstMilliseconds = firstMilliseconds
        self.longestMilliseconds = longestMilliseconds
        nextMilliseconds = firstMilliseconds
    }

    /// - Parameters:
    ///   - asked: what the server asks for (429), which is kept to.
    ///   - random: from 0 up to 1.
    public mutating func next(afterSeconds asked: Int? = nil, random: Double) -> Int {
        let delay = nextMilliseconds + Int(Double(nextMilliseconds) * min(max(random, 0), 1))
        nextMilliseconds = min(nextMilliseconds * 2, longestMilliseconds)
        return max(delay, (asked ?? 0) * 1_000)
    }

    public mutating func succeeded() { nextMilliseconds = firstMilliseconds }
}
