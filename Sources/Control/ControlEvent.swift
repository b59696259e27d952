/// An event for the control thread.
public enum ControlEvent: Hashable, Sendable {
    /// SIGTERM or SIGINT: drain.
    case terminate
    /// SIGHUP or SIGUSR1: reopen the access log, and reload the settings and the files they name.
    case hangup
    /// Files watched with this descriptor changed.
    case filesChanged(descriptor: Int32)
    /// SIGCHLD: a child process changed its state.
    case childChanged
    /// A lookup of a name made progress.
    case namesLookedUp
    /// A check of an endpoint ended.
    case endpointChecked
    /// The Workload API's identity changed.
    case identityChanged
    /// A watched eventfd was signalled; its counter has been reset.
    case signalled(descriptor: Int32)
}
