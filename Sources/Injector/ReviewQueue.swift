import Control
import Kubernetes
import Synchronization
import System

/// Reviews on their way from the control thread to threads that answer them, and the answers on their way back.
///
/// There is at most one review for each connection, so that the queue needs no limit of its own. Any thread.
final class ReviewQueue: Sendable {
    struct Review: Sendable {
        let number: UInt64
        let body: [UInt8]
        /// Monotonic nanoseconds.
        let dueBy: Int64
    }

    enum Outcome: Sendable {
        case answered(AdmissionAnswer)
        case malformed(AdmissionFault)
        /// The client asks no longer.
        case late
    }

    struct Answer: Sendable {
        let number: UInt64
        let outcome: Outcome
    }

    /// Readable while there are answers.
    let answersWake: ControlWake
    private let reviewsWake: ControlWake
    private let state = Mutex(State())

    private struct State {
        var reviews: [Review] = []
        /// Those before it are taken.
        var next = 0
        var answers: [Answer] = []
    }

    /// Starts the threads, which end with the process.
    init(threads: Int, injection: Injection) throws(ControlFault) {
        answersWake = try ControlWake()
        reviewsWake = try ControlWake()
        for index in 0..<threads {
            _ = try PosixThread.spawn(name: "review-\(index)") { [self] in answerAll(injection) }
        }
    }

    func submit(_ review: Review) {
        state.withLock { $0.reviews.append(review) }
        reviewsWake.signal()
    }

    /// Takes all answers.
    func takeAnswers() -> [Answer] {
        answersWake.clear()
        return state.withLock { state in
            defer { state.answers.removeAll(keepingCapacity: true) }
            return state.answers
        }
    }

    private func answerAll(_ injection: Injection) -> Never {
        while true {
            guard let review = take() else {
                _ = reviewsWake.wait(timeoutMilliseconds: -1)
                reviewsWake.clear()
                continue
            }
            let answer = Answer(number: review.number, outcome: Self.answer(review, injection))
            let isFirst = state.withLock { state in
                state.answers.append(answer)
                return state.answers.count == 1
            }
            // The others find those that are there.
            if isFirst { answersWake.signal() }
        }
    }

    private func take() -> Review? {
        let (review, hasMore) = state.withLock { state -> (Review?, Bool) in
            guard state.next < state.reviews.count else { return (nil, false) }
            let review = state.reviews[state.next]
            state.next += 1
            if state.next == state.reviews.count {
                state.reviews.removeAll(keepingCapacity: true)
                state.next = 0
            }
            return (review, state.next < state.reviews.count)
        }
        // Its signal may have been cleared by the thread that took the one before.
        if hasMore { reviewsWake.signal() }
        return review
    }

    private static func answer(_ review: Review, _ injection: Injection) -> Outcome {
        guard MonotonicClock.nanoseconds() < review.dueBy else { return .late }
        do throws(AdmissionFault) {
            return .answered(try injection.answer(to: review.body))
        } catch {
            return .malformed(error)
        }
    }
}
