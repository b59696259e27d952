/// Why a measurement failed.
enum MicroBenchFault: Error, CustomStringConvertible {
    case session(String)
    case wrongAnswer(String)
    case systemCall(String, errno: Int32)
    case profiles(String)

    var description: String {
        switch self {
        case .session(let what), .wrongAnswer(let what), .profiles(let what): what
        case .systemCall(let call, let errno): "\(call) failed: errno \(errno)"
        }
    }
}
