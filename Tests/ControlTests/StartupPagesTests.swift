import Testing

@testable import Control

@Suite("The pages of the start")
struct StartupPagesTests {
    @Test("only whole, read-only, unchanged mappings of files are given back")
    func choice() {
        func entry(_ start: String, _ end: String, _ permissions: String, _ path: String, anonymous: Int) -> String {
            """
            \(start)-\(end) \(permissions) 00002000 fe:00 12345                      \(path)
            Size:                  8 kB
            Anonymous:             \(anonymous) kB
            VmFlags: rd ex mr mw me

            """
        }
        let smaps =
            entry("1000", "3000", "r-xp", "/usr/bin/postern", anonymous: 0)
            + entry("3000", "4000", "r--p", "/usr/bin/postern", anonymous: 4)
            + entry("4000", "5000", "rw-p", "/usr/bin/postern", anonymous: 0)
            + entry("5000", "6000", "r--p", "", anonymous: 0)
            + entry("6000", "7000", "r-xp", "[vdso]", anonymous: 0)
            + entry("7000", "9000", "r--s", "/shared", anonymous: 0)
            + entry("a000", "b000", "r--p", "/lib/x y.so (deleted)", anonymous: 0)
        #expect(StartupPages.untouchedMappings(smaps: smaps) == [0x1000..<0x3000, 0xA000..<0xB000])
    }

    @Test("the process goes on after it")
    func goesOn() {
        StartupPages.release()
        #expect([3, 1, 2].sorted() == [1, 2, 3])
    }
}
