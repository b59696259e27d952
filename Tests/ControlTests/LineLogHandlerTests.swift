import Control
import Foundation
import Logging
import Testing

@Suite("The log")
struct LineLogHandlerTests {
    @Test("an event is a line of JSON, with its metadata as members")
    func json() throws {
        let line = try written(.json) {
            $0[metadataKey: "worker"] = "1"
            $0.error("cannot \"listen\"", metadata: ["port": "80"])
        }
        let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(object["level"] == "error" && object["message"] == "cannot \"listen\"")
        #expect(object["worker"] == "1" && object["port"] == "80")
        #expect(try #require(object["time"]).wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }

    @Test("on a terminal it is a line of text, and no control character comes through")
    func text() throws {
        let line = try written(.text) { $0.notice("two\nlines \u{1B}[2J", metadata: ["a": "\u{9B}", "b": "c d"]) }
        #expect(line.hasSuffix(" notice: two?lines ?[2J a=? b=\"c d\"\n"), "\(line)")
    }

    @Test("events below the level are not written")
    func level() throws {
        #expect(try written(.json) { $0.debug("no") } == "")
    }

    @Test("a stalled reader costs lines, never time, and the next line says how many")
    func standstill() throws {
        let pipe = Pipe()
        let (reading, writing) = (pipe.fileHandleForReading, pipe.fileHandleForWriting.fileDescriptor)
        let logger = Logger(label: "postern") {
            LineLogHandler(label: $0, level: .info, format: .text, descriptor: writing)
        }
        // Longer than what a pipe takes whole, so that a line is cut, and then no room is left.
        let long = String(repeating: "x", count: 4_000)
        for _ in 0..<40 { logger.info("\(long)", metadata: ["more": "\(long)"]) }
        // Room for the next line: one read takes what is there, as `readData(ofLength:)`, which waits for more, does
        // not.
        var first = [UInt8](repeating: 0, count: 64 * 1_024)
        // The array has room for `count` bytes.
        let taken = unsafe read(reading.fileDescriptor, &first, first.count)
        #expect(taken > 32 * 1_024)
        logger.notice("afterwards")
        try pipe.fileHandleForWriting.close()
        let rest = String(decoding: reading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
        #expect(rest.last?.hasSuffix(" notice: afterwards") == true)
        let notice = try #require(rest.dropLast().last)
        let lost = try #require(notice.firstMatch(of: /warning: log: the reader stalled; (\d+) lines are lost$/))
        #expect(try #require(Int(lost.1)) > 20)
    }

    private func written(_ format: LineLogHandler.Format, _ use: (inout Logger) -> Void) throws -> String {
        let pipe = Pipe()
        var logger = Logger(label: "postern") { label in
            LineLogHandler(
                label: label, level: .info, format: format, descriptor: pipe.fileHandleForWriting.fileDescriptor)
        }
        use(&logger)
        try pipe.fileHandleForWriting.close()
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}
