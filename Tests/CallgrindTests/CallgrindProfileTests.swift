import Callgrind
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
        #expect(profile.own == ["/build/postern-microbench": 56, "/lib/libcrypto.so.3": 900])
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

    @Test("instructions belong to the object that executed them, and calls to the object that made them")
    func attribution() throws {
        let profile = try CallgrindProfile(parsing: Self.calls)
        #expect(profile.own == ["/bin/postern": 37, "/lib/libc.so.6": 500, "/lib/libssl.so.3": 1_000])
        #expect(
            profile.called == [
                .init(from: "/bin/postern", to: "/lib/libc.so.6"): 300,
                .init(from: "/bin/postern", to: "/lib/libssl.so.3"): 1_205,
                .init(from: "/bin/postern", to: "/bin/postern"): 7,
                .init(from: "/lib/libssl.so.3", to: "/lib/libc.so.6"): 200,
                .init(from: "/lib/libssl.so.3", to: "/bin/postern"): 5,
            ])
    }

    @Test("what libc did for OpenSSL is not counted as done for the proxy")
    func below() throws {
        let profile = try CallgrindProfile(parsing: Self.calls)
        #expect(profile.below("/bin/postern", except: ["libssl", "libcrypto"]) == 300)
    }

    @Test(
        "says why it cannot be counted",
        arguments: [
            ("fn=(1) main\n0 12\n", CallgrindFlaw.incomplete),
            ("fn=(1)\n0 12\ntotals: 12\n", .unknownName("(1)")),
            ("fn=(1) main\n0 much\ntotals: 12\n", .unreadable("0 much")),
            ("events: Ir Dr\ntotals: 12\n", .unreadable("events: Ir Dr")),
            ("", .incomplete), ("hello", .incomplete), ("ob=(1", .incomplete), ("7", .unreadable("7")),
            ("+1 x", .unreadable("+1 x")),
        ])
    func flaws(text: String, flaw: CallgrindFlaw) {
        #expect(throws: flaw) { try CallgrindProfile(parsing: text) }
    }

    /// Calls between three objects, and within one.
    private static let calls = """
        # callgrind format
        version: 1
        positions: line
        events: Ir
        summary: 1537

        ob=(1) /bin/postern
        fl=(1) ???
        fn=(1) relay
        0 25
        cob=(2) /lib/libssl.so.3
        cfn=(2) SSL_read
        calls=3 0
        0 1205
        cfn=(3) helper
        calls=1 0
        0 7
        cob=(3) /lib/libc.so.6
        cfn=(4) memmove
        calls=2 0
        0 300
        +3 5

        fn=(3)
        * 7

        ob=(2)
        fn=(2)
        0 1000
        cob=(3)
        cfn=(4)
        calls=1 0
        0 200
        cob=(1)
        cfn=(1)
        calls=1 0
        0 5

        ob=(3)
        fn=(4)
        0 500
        totals: 1537
        """
}
