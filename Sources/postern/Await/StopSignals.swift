import Glibc

enum StopSignals {
    /// Lets SIGTERM and SIGINT end this process also where it is the first of a container: that one ignores what it has
    /// no handler for. A program that takes its place has the default again.
    static func endProcess() {
        for number in [SIGTERM, SIGINT] { _ = signal(number) { _exit(128 + $0) } }
    }
}
