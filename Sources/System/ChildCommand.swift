import Glibc

/// A program that is run to its end, with its input and output in memory.
public struct ChildCommand: Sendable {
    /// In the shell's convention: 128 and the signal, if one ended it.
    public let status: Int32
    public let output: String
    public let errors: String

    /// Runs a program, which is looked up in PATH, and waits for its end. From then on this process ignores SIGPIPE.
    ///
    /// - Parameters:
    ///   - input: its standard input.
    ///   - bytesAtMost: of its output, and of its errors; the rest is left out.
    public init(_ words: [String], input: String = "", bytesAtMost: Int = 4 << 20) throws(ChildFault) {
        // A child that does not read its input must not end this process.
        _ = signal(SIGPIPE, SIG_IGN)
        var pipes = try Pipes()
        let child = try Self.spawn(words, pipes.childEnds)
        pipes.closeChildEnds()
        let (output, errors) = pipes.exchange(Array(input.utf8), bytesAtMost)
        status = try Self.end(of: child)
        self.output = String(decoding: output, as: UTF8.self)
        self.errors = String(decoding: errors, as: UTF8.self)
    }

    // MARK: Private

    private static func spawn(_ words: [String], _ streams: [Int32]) throws(ChildFault) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (target, number) in streams.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, number, Int32(target))
        }
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        var child: pid_t = 0
        // The arguments end with nil and are freed after the call, which copies them.
        let result = unsafe posix_spawnp(&child, arguments[0]!, &actions, nil, &arguments, environ)
        guard result == 0 else { throw ChildFault(errno: result) }
        return child
    }

    private static func end(of child: pid_t) throws(ChildFault) -> Int32 {
        var status: Int32 = 0
        // The status is written to a local that outlives the call.
        while unsafe waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw ChildFault(errno: errno) }
        }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }
}

/// A program could not be run.
public struct ChildFault: Error, Hashable, Sendable {
    public let errno: Int32
}

/// The three pipes of a child's standard streams.
private struct Pipes: ~Copyable {
    /// Of each, the end to read and the end to write; -1 once closed.
    private var numbers: [Int32] = []

    init() throws(ChildFault) {
        for _ in 0..<3 {
            var ends: [Int32] = [-1, -1]
            // Writes two numbers.
            guard unsafe pipe(&ends) == 0 else { throw ChildFault(errno: errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            numbers += ends
        }
        // So that a child which does not read cannot keep its output from being read.
        _ = setNonblocking(numbers[1])
    }

    deinit { for number in numbers where number >= 0 { close(number) } }

    /// To be its descriptors 0, 1 and 2.
    var childEnds: [Int32] { [numbers[0], numbers[3], numbers[5]] }

    mutating func closeChildEnds() { for index in [0, 3, 5] { shut(index) } }

    /// Writes the input, and reads until both outputs have ended.
    mutating func exchange(_ input: [UInt8], _ limit: Int) -> (output: [UInt8], errors: [UInt8]) {
        var rest = input[...]
        var texts: [[UInt8]] = [[], []]
        while numbers[2] >= 0 || numbers[4] >= 0 {
            if rest.isEmpty { shut(1) }
            var entries = [
                pollfd(fd: numbers[1], events: Int16(POLLOUT), revents: 0),
                pollfd(fd: numbers[2], events: Int16(POLLIN), revents: 0),
                pollfd(fd: numbers[4], events: Int16(POLLIN), revents: 0),
            ]
            // The array outlives the call. A negative number is passed over.
            guard unsafe poll(&entries, 3, -1) > 0 || errno == EINTR else { break }
            if entries[0].revents != 0 {
                // Writes at most what the slice holds.
                let count = unsafe rest.withUnsafeBytes { unsafe write(numbers[1], $0.baseAddress, $0.count) }
                if count > 0 { rest = rest.dropFirst(count) } else if errno != EAGAIN { rest = [] }
            }
            for (place, index) in [2, 4].enumerated() where entries[place + 1].revents != 0 {
                read(index, into: &texts[place], limit)
            }
        }
        return (texts[0], texts[1])
    }

    private mutating func read(_ index: Int, into text: inout [UInt8], _ limit: Int) {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        // Reads at most the array's length.
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(numbers[index], $0.baseAddress, $0.count) }
        guard count > 0 else {
            if count == 0 || errno != EINTR { shut(index) }
            return
        }
        text += chunk[..<min(count, max(0, limit - text.count))]
    }

    private mutating func shut(_ index: Int) {
        guard numbers[index] >= 0 else { return }
        close(numbers[index])
        numbers[index] = -1
    }
}

private func setNonblocking(_ number: Int32) -> Int32 { fcntl(number, F_SETFL, O_NONBLOCK) }
