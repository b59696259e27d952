import Control
import Foundation
import Logging
import PosternTesting
import Telemetry
import Testing

@Suite("The access log's writer")
struct AccessLogWriterTests {
    @Test("records of every worker reach the file, each one as a line, in its worker's order")
    func allArrive() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("access.log")
        let writer = try AccessLogWriter(.file(path: path), workers: 3, logger: quiet)
        let threads = writer.feeds.enumerated().map { worker, feed in
            BackgroundThread {
                for index in 0..<2_000 {
                    while !submit(record(listener: "w\(worker)", reason: "n\(index)"), to: feed) { sched_yield() }
                }
            }
        }
        threads.forEach { $0.join() }
        #expect(writer.stop(withinMilliseconds: 10_000))
        let lines = try lines(of: path)
        #expect(lines.count == 6_000)
        for worker in 0..<3 {
            let reasons = lines.filter { $0["listener"] as? String == "w\(worker)" }.map { $0["reason"] as? String }
            #expect(reasons == (0..<2_000).map { "n\($0)" })
        }
    }

    @Test("a sleeping writer is woken by one record")
    func wakes() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("access.log")
        let writer = try AccessLogWriter(.file(path: path), workers: 1, logger: quiet)
        for count in 1...3 {
            #expect(submit(record(reason: "one"), to: writer.feeds[0]))
            #expect(try eventually { try lines(of: path).count == count })
        }
        #expect(writer.stop(withinMilliseconds: 10_000))
    }

    @Test("after a rotation the file is reopened, and nothing is lost")
    func rotation() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("access.log")
        let writer = try AccessLogWriter(.file(path: path), workers: 1, logger: quiet)
        #expect(submit(record(reason: "before"), to: writer.feeds[0]))
        #expect(try eventually { try lines(of: path).count == 1 })
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        writer.reopen()
        #expect(eventually { FileManager.default.fileExists(atPath: path) })
        #expect(submit(record(reason: "after"), to: writer.feeds[0]))
        #expect(writer.stop(withinMilliseconds: 10_000))
        #expect(try lines(of: path).map { $0["reason"] as? String } == ["after"])
        #expect(try lines(of: path + ".1").map { $0["reason"] as? String } == ["before"])
    }

    @Test("a rotation into a folder that is gone keeps the old file, and says so")
    func failedRotation() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("d"), withIntermediateDirectories: false)
        let (logger, messages) = recordingLogger()
        let writer = try AccessLogWriter(.file(path: folder.file("d/access.log")), workers: 1, logger: logger)
        try FileManager.default.moveItem(atPath: folder.file("d"), toPath: folder.file("e"))
        writer.reopen()
        #expect(eventually { messages.all.contains { $0.contains("the old file stays in use") } })
        #expect(submit(record(reason: "kept"), to: writer.feeds[0]))
        #expect(writer.stop(withinMilliseconds: 10_000))
        #expect(try lines(of: folder.file("e/access.log")).count == 1)
    }

    @Test("a file that cannot be opened is an error that names it")
    func unopenable() {
        let error = #expect(throws: ControlFault.self) {
            try AccessLogWriter(.file(path: "/nowhere/access.log"), workers: 1, logger: quiet)
        }
        #expect("\(String(describing: error))".contains("/nowhere/access.log"))
    }

    @Test("a stalled reader costs records, which are counted and logged, and never a worker's time")
    func stalledReader() throws {
        let folder = try TemporaryFolder()
        let fifo = folder.file("fifo")
        #expect(unsafe mkfifo(fifo, 0o600) == 0)
        let reader = unsafe open(fifo, O_RDONLY | O_NONBLOCK)
        let (logger, messages) = recordingLogger()
        let writer = try AccessLogWriter(.file(path: fifo), workers: 1, recordsPerWorker: 512, logger: logger)
        var takenCount = 0
        var droppedCount = 0
        // Until the queue is still full after a time in which a writer that moves would have emptied it.
        while true {
            if submit(record(reason: "flood"), to: writer.feeds[0]) {
                takenCount += 1
                continue
            }
            usleep(200_000)
            droppedCount += 1
            if !submit(record(reason: "flood"), to: writer.feeds[0]) { break }
            takenCount += 1
        }
        droppedCount += 1
        #expect(!writer.stop(withinMilliseconds: 50))
        let readCount = drain(reader, while: { !writer.stop(withinMilliseconds: 1) })
        #expect(readCount == takenCount)
        let said = messages.all.compactMap {
            Int($0.replacing("access log: dropped ", with: "").prefix { $0.isNumber })
        }
        #expect(said.reduce(0, +) == droppedCount, "\(messages.all)")
        close(reader)
    }

    @Test("a reader that disconnects costs records, which are counted and logged, and not the process")
    func brokenPipe() throws {
        signal(SIGPIPE, SIG_IGN)
        let folder = try TemporaryFolder()
        let fifo = folder.file("fifo")
        #expect(unsafe mkfifo(fifo, 0o600) == 0)
        let reader = unsafe open(fifo, O_RDONLY | O_NONBLOCK)
        let (logger, messages) = recordingLogger()
        let writer = try AccessLogWriter(.file(path: fifo), workers: 1, logger: logger)
        close(reader)
        for _ in 0..<3 { #expect(submit(record(reason: "lost"), to: writer.feeds[0])) }
        #expect(writer.stop(withinMilliseconds: 10_000))
        #expect(messages.all.contains { $0.contains("dropped") && $0.contains("Broken pipe") }, "\(messages.all)")
    }

    private func record(listener: String = "l", reason: String) -> AccessRecord {
        AccessRecord(
            timeUnixNanoseconds: 0, listener: listener, direction: .inbound, closeReason: reason,
            durationNanoseconds: 0)
    }

    /// What a worker does.
    private func submit(_ record: AccessRecord, to feed: AccessLogFeed) -> Bool {
        switch feed.queue.push(record) {
        case .dropped: return false
        case .queued: return true
        case .queuedForSleeper:
            var one: UInt64 = 1
            // Eight bytes, as an eventfd wants them.
            _ = unsafe write(feed.wakeDescriptor, &one, 8)
            return true
        }
    }

    private func lines(of path: String) throws -> [[String: Any]] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return try text.split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    /// Reads lines until the writer is done and the pipe is empty; how many there were.
    private func drain(_ descriptor: Int32, while isRunning: () -> Bool) -> Int {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var newlines = 0
        var isLast = false
        while true {
            // Reads into an array that is as long as is said.
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count > 0 {
                newlines += buffer[..<count].count { $0 == UInt8(ascii: "\n") }
            } else if isLast {
                return newlines
            } else {
                isLast = !isRunning()
            }
        }
    }
}
