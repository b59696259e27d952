import Glibc

/// Blocks the calling thread; a signal ends the pause early.
public func pause(milliseconds: Int) {
    guard milliseconds > 0 else { return }
    _ = poll(nil, 0, Int32(clamping: milliseconds))
}
