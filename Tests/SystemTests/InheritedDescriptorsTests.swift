import Testing

@testable import System

@Suite("Sockets of the service manager")
struct InheritedDescriptorsTests {
    private typealias Entry = InheritedDescriptors.Entry

    @Test("they begin at descriptor 3, and have names where names are passed")
    func entries() throws {
        #expect(try read("2", "7", "in:postern.socket") == [(3, "in"), (4, "postern.socket")].map(Entry.init))
        #expect(try read("1", "7", nil) == [Entry(number: 3, name: "unknown")])
        #expect(try read("1", "7", "") == [Entry(number: 3, name: "")])
        #expect(try read("0", "7", "") == [])
    }

    @Test("those of another process are not taken", arguments: [("2", "8"), (nil, "7"), ("2", nil), (nil, nil)])
    func others(count: String?, process: String?) throws { #expect(try read(count, process, nil) == []) }

    @Test(
        "what makes no sense is refused",
        arguments: [
            ("x", "7", nil, "LISTEN_FDS=x"), ("-1", "7", nil, "LISTEN_FDS=-1"), ("", "7", nil, "LISTEN_FDS="),
            ("2147483647", "7", nil, "LISTEN_FDS=2147483647"), ("1", "x", nil, "LISTEN_PID=x"),
            ("1", "-7", nil, "LISTEN_PID=-7"), ("2", "7", "in", "1 names"), ("1", "7", "in:out", "2 names"),
        ])
    func refused(count: String, process: String, names: String?, says: String) throws {
        let flaw = #expect(throws: InheritanceFlaw.self) { try read(count, process, names) }
        #expect(flaw?.description.contains(says) == true, "\(flaw.debugDescription)")
    }

    private func read(_ count: String?, _ process: String?, _ names: String?) throws -> [Entry] {
        try InheritedDescriptors(count: count, process: process, names: names, process: 7).entries
    }
}
