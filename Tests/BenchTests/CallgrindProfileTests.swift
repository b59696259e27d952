import BenchFigures
import Testing

@Suite("A profile of callgrind")
struct CallgrindProfileTests {
    @Test("instructions belong to the object that executed them, and calls to the object that made them")
    func attribution() {
        let profile = CallgrindProfile(parsing: text)
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
    func below() {
        let profile = CallgrindProfile(parsing: text)
        #expect(profile.below("/bin/postern", except: ["libssl", "libcrypto"]) == 300)
    }

    @Test(
        "text that is no profile has no instructions", arguments: ["", "hello", "calls=", "ob=", "ob=(1", "7", "+1 x"])
    func garbage(text: String) {
        #expect(CallgrindProfile(parsing: text).own.values.allSatisfy { $0 == 0 })
    }

    private let text = """
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
