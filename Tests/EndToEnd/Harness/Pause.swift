import Glibc

/// Passes time on purpose: to be slow, or to measure over a while. Never to wait for something.
func pauseMilliseconds(_ milliseconds: UInt32) { usleep(milliseconds * 1_000) }
