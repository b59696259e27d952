import CLoopback
import PosternTesting

/// Pins the calling thread, and the threads that it starts later, to one core; false if the kernel refuses.
public func pinToCore(_ core: Int) -> Bool { postern_pin_to_core(Int32(core)) == 0 }

/// Lets the timeouts of the calling thread, and of threads and processes that it starts later, end within microseconds,
/// and asks for short turns on a shared core.
public func bePunctual() { _ = postern_be_punctual() }

/// Raises how many descriptors this process and its children may have open, as far as the kernel allows; returns how
/// many that is.
public func raiseDescriptorLimit(to wanted: Int) -> Int { postern_raise_descriptor_limit(wanted) }
