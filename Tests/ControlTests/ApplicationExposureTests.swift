import Policy
import Settings
import Testing

@testable import Control

@Suite("Applications that can be reached without the proxy")
struct ApplicationExposureTests {
    private let table = SocketTable(
        v4: """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
               1: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2
               2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3
               3: 00000000:1F92 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 4
            """,
        v6: """
               0: 00000000000000000000000000000000:1F93 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 5
               1: 00000000000000000000000001000000:1F94 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 6
            """)

    @Test(
        "are those that listen on every address, and on no narrower one that the proxy would reach instead",
        arguments: [
            ("127.0.0.1", 0x1F90, true), ("127.0.0.1", 0x1F91, false), ("127.0.0.1", 0x1F92, false),
            ("127.0.0.1", 0x1F93, true), ("::1", 0x1F93, true), ("::1", 0x1F94, false), ("127.0.0.1", 0x1F95, false),
        ] as [(String, UInt16, Bool)])
    func open(address: String, port: UInt16, isOpen: Bool) throws {
        let endpoint = Endpoint(address: try #require(IPAddress(parsing: address)), port: port)
        #expect(table.isOpenToAll(endpoint) == isOpen)
        let application = ApplicationExposure.Application(
            endpoint: endpoint, position: Position(file: "p.yaml", line: 1, column: 2))
        let told = ApplicationExposure.warnings([application], boundByUs: [], table).map(\.description)
        #expect(told.count == (isOpen ? 1 : 0))
        #expect(
            told.allSatisfy { $0.hasPrefix("p.yaml:1:2: warning: the application at \(endpoint) listens on every") })
        let ours = Endpoint(address: .v4(0), port: port)
        #expect(ApplicationExposure.warnings([application], boundByUs: [ours], table).isEmpty)
    }
}
