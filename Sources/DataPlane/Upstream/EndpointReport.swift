public import System

/// A change of an endpoint's service in one worker, for the control thread.
public struct EndpointReport: Hashable, Sendable {
    public enum Change: Hashable, Sendable {
        /// So many failures in a row; out for so long.
        case ejected(failures: Int, nanoseconds: UInt64, reason: String)
        case returned
    }

    public let listener: String
    public let route: String
    public let address: SocketAddress
    public let change: Change
}
