/// What the control thread is told.
public enum ControlEvent: Hashable, Sendable {
    /// SIGTERM or SIGINT: end, gracefully.
    case terminate
    /// SIGHUP or SIGUSR1: open the log files anew, and look at the settings and what they name.
    case hangup
    /// Something happened to files that are watched with this descriptor.
    case filesChanged(descriptor: Int32)
    /// SIGCHLD: a child process changed its state.
    case childChanged
    /// The Workload API has said something.
    case identityChanged
    /// A watched eventfd was signalled; its counter is zero again.
    case signalled(descriptor: Int32)
}
