import PosternTesting
import Settings
import Testing

@Suite("The reference of the settings")
struct ReferenceTests {
    @Test("lists each key once, after the section that holds it")
    func isATree() {
        var seen: Set<String> = [""]
        for path in Settings.reference.map(\.path) {
            let section = path.split(separator: ".").dropLast().joined(separator: ".")
            let holder = section.replacing("[]", with: "").replacing(#/\.[A-Z]+/#, with: "")
            #expect(seen.contains(holder), "nothing holds \(path)")
            #expect(seen.insert(path.replacing("[]", with: "").replacing(#/\.[A-Z]+/#, with: "")).inserted)
        }
    }

    @Test("lists only keys that are read: a wrong value of each is reported", arguments: Settings.reference)
    func isRead(entry: SettingReference) {
        // identity.files.certificate -> {identity: {files: {certificate: []}}}
        var (opening, closing) = ("", "")
        for part in entry.path.split(separator: ".") {
            opening += part.hasSuffix("[]") ? "{\(part.dropLast(2)): [" : "{\(part): "
            closing = (part.hasSuffix("[]") ? "]}" : "}") + closing
        }
        let text = opening + "[]" + closing
        let place = "1:\(opening.count + 1): error: "
        #expect(flaws(of: text).contains { $0.hasPrefix(place) && !$0.contains("unknown") })
    }

    @Test("names defaults that hold: writing one changes nothing", arguments: Settings.reference.filter(\.hasDefault))
    func defaultsHold(entry: SettingReference) throws {
        let parts = entry.path.split(separator: ".").map(String.init)
        let line = "\(parts.dropLast().map { "\($0): {" }.joined())\(parts.last ?? ""): \(entry.defaultValue ?? "")"
        let written = exampleSettings.split(separator: "\n").prefix { !$0.hasPrefix("workers:") } + ["listeners:"]
        let listener =
            #"  - {name: a, mode: inbound, bind: "[::]:1", routes: [{name: r, upstream: {builtin: echo}, policy: p}]}"#
        let policy = "policies: {p: {rules: [{name: all, action: allow, identities: [spiffe://*/**]}]}}"
        let bare = (written + [Substring(listener), Substring(policy)]).joined(separator: "\n") + "\n"
        let without = try #require(outcome(of: bare).settings)
        let with = try #require(outcome(of: bare + line + (parts.count > 1 ? "}\n" : "\n")).settings)
        #expect(with == without)
    }
}

extension SettingReference {
    /// Whether it has a default that a section of its own can write.
    fileprivate var hasDefault: Bool {
        defaultValue != nil && !path.hasPrefix("policies") && !path.hasPrefix("identity") && !path.hasPrefix("admin")
            && !path.contains("[]")
    }
}
