import MicroBenchGate
import Testing

@Suite("A callgrind profile")
struct CallgrindProfileTests {
    /// What callgrind writes, shortened: compressed names, relative positions, calls with their inclusive cost.
    private static let text = """
        # callgrind format
        version: 1
        creator: callgrind-3.19.0
        pid: 12
        cmd:  ./bench count
        part: 1

        desc: I1 cache:
        desc: Trigger: --dump-after=postern_measured
        positions: line
        events: Ir
        summary: 1234

        ob=(1) /build/postern-microbench
        fl=(1) ???
        fn=(1) postern_measured
        0 10
        cob=(2) /lib/libcrypto.so.3
        cfi=(2) ???
        cfn=(2) EVP_EncryptUpdate
        calls=3 0
        0 900
        +1 5
        * 1

        fn=(3) malloc
        0 40

        ob=(2)
        fl=(2)
        fn=(2)
        0 800
        cfn=(3)
        calls=1 0
        * 40
        -3 100

        totals: 1234
        """

    @Test("gives each object the instructions of its own functions, without those they call")
    func objects() throws {
        let profile = try CallgrindProfile(parsing: Self.text)
        #expect(profile.instructions == ["/build/postern-microbench": 56, "/lib/libcrypto.so.3": 900])
        #expect(profile.total(outside: "libcrypto.so.3") == 56)
        #expect(profile.total(outside: "libc.so.6") == 956)
        #expect(profile.total(of: "postern-microbench") == 56)
        #expect(profile.total(of: "bench") == 0)
    }

    @Test("leaves out the functions that it is told to ignore, of one object alone")
    func ignored() throws {
        let names: Set = ["malloc", "EVP_EncryptUpdate"]
        let profile = try CallgrindProfile(parsing: Self.text, ignoring: names, of: "postern-microbench")
        #expect(profile.total(of: "postern-microbench") == 16)
        #expect(profile.total(of: "libcrypto.so.3") == 900)
    }

    @Test(
        "says why it cannot be counted",
        arguments: [
            ("fn=(1) main\n0 12\n", CallgrindFlaw.incomplete),
            ("fn=(1)\n0 12\ntotals: 12\n", .unknownName("(1)")),
            ("fn=(1) main\n0 much\ntotals: 12\n", .unreadable("0 much")),
            ("events: Ir Dr\ntotals: 12\n", .unreadable("events: Ir Dr")),
        ])
    func flaws(text: String, flaw: CallgrindFlaw) {
        #expect(throws: flaw) { try CallgrindProfile(parsing: text) }
    }
}
