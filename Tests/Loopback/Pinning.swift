import CLoopback

/// Pins the calling thread, and the threads that it starts later, to one core; false if the kernel refuses.
public func pinToCore(_ core: Int) -> Bool { postern_pin_to_core(Int32(core)) == 0 }

/// Lets the calling thread's timeouts end within microseconds, where the default allows 50 of them.
public func bePunctual() { _ = postern_be_punctual() }
