import Testing

@testable import Settings

@Suite("The nearest name")
struct NearestNameTests {
    @Test(
        "is the one that was most likely misspelt",
        arguments: [
            ("bnd", "bind"), ("Bind", "bind"), ("bidn", "bind"), ("polcy", "policy"),
            ("endpoint", "endpoints"), ("end_points", "endpoints"), ("cert", "certificate"),
        ])
    func near(written: String, meant: String) {
        #expect(nearestName(to: written, among: ["bind", "policy", "endpoints", "certificate", "mode"]) == meant)
    }

    @Test("is none where nothing is near", arguments: ["colour", "x", "", "12", String(repeating: "b", count: 1_000)])
    func far(written: String) {
        #expect(nearestName(to: written, among: ["bind", "policy", "endpoints", "certificate", "mode"]) == nil)
    }
}
