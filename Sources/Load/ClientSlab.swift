import EventLoop

/// All clients of a run, in slots that live as long as the run.
@safe
struct ClientSlab: ~Copyable {
    private let slots: UnsafeMutablePointer<Client>
    let count: Int

    init(count: Int) {
        self.count = count
        // Safe: owned until `deinit`, all of it initialised here.
        unsafe slots = .allocate(capacity: count)
        for slot in 0..<count { unsafe (slots + slot).initialize(to: Client()) }
    }

    deinit {
        unsafe slots.deinitialize(count: count)
        unsafe slots.deallocate()
    }

    /// The slot of a token; nil if the token is stale.
    @inline(__always)
    func slot(of token: OperationToken) -> Int32? {
        guard token.slot < UInt32(count) else { return nil }
        let slot = Int32(bitPattern: token.slot)
        return self[slot].life & OperationToken.generationMask == token.generation ? slot : nil
    }

    @inline(__always)
    func token(_ operation: Operation, _ slot: Int32) -> OperationToken {
        OperationToken(operation: operation.rawValue, generation: self[slot].life, slot: UInt32(slot))
    }

    // Addressors, because `_read` and `_modify` allocate their frame on the heap in debug builds.
    @inline(__always)
    subscript(slot: Int32) -> Client {
        unsafeAddress {
            precondition(slot >= 0 && Int(slot) < count, "no such client")
            // Safe: the slot is checked, and all are initialised.
            return unsafe UnsafePointer(slots + Int(slot))
        }
        nonmutating unsafeMutableAddress {
            precondition(slot >= 0 && Int(slot) < count, "no such client")
            // Safe: as above; the generator's thread is the only one that comes here.
            return unsafe slots + Int(slot)
        }
    }
}
