import Testing

@testable import Kubernetes

/// The part of Helm's language that the chart keeps to; that Helm agrees is a test from end to end.
@Suite("Templates")
struct TemplateTests {
    private static let values = Value.mapping([
        Value.Field(
            "Values",
            .mapping([
                Value.Field("name", .text("shop")), Value.Field("empty", .text("")),
                Value.Field("number", .plain("3")), Value.Field("off", .plain("false")),
                Value.Field("list", .list([.text("a"), .text("on")])), Value.Field("none", .list([])),
                Value.Field(
                    "mapping",
                    .mapping([Value.Field("b", .text("c: d")), Value.Field("y", .list([.plain("1")]))])),
            ]))
    ])

    private static func rendered(_ text: String) throws(TemplateFlaw) -> String {
        try Template(text, name: "t").rendered(with: values)
    }

    @Test(
        "are rendered",
        arguments: [
            ("a {{ .Values.name }} b", "a shop b"), ("{{ .Values.name | quote }}", "\"shop\""),
            ("{{ .Values.number }}{{ .Values.off }}", "3false"), ("a\n  {{- .Values.name }}\n", "ashop\n"),
            ("{{ if .Values.empty }}a{{ else }}b{{ end }}", "b"), ("{{ if .Values.off }}a{{ end }}c", "c"),
            ("{{ if eq .Values.name \"shop\" }}a{{ end }}", "a"), ("{{ ne .Values.name \"shop\" }}", "false"),
            ("{{ with .Values.name }}{{ . }}{{ if eq . \"shop\" }}!{{ end }}{{ end }}", "shop!"),
            ("{{ with .Values.none }}a{{ end }}b", "b"), ("{{ range .Values.list }}<{{ . }}>{{ end }}", "<a><on>"),
            ("a:\n  {{- toYaml .Values.mapping | nindent 2 }}\n", "a:\n  b: \"c: d\"\n  \"y\": [1]\n"),
            ("a:\n  {{- toYaml .Values.list | nindent 2 }}\n", "a:\n  - a\n  - \"on\"\n"),
            ("{{ required \"r\" .Values.name }}", "shop"),
        ])
    func rendering(_ text: String, _ expected: String) throws {
        #expect(try Self.rendered(text) == expected)
    }

    @Test(
        "are refused with the line where they leave that part",
        arguments: [
            ("a\n{{ .Values.name | upper }}", 2), ("{{ .Values.name", 1), ("\n\n{{ end }}", 3), ("{{ else }}", 1),
            ("{{ if .Values.name }}", 1), ("{{ if .Values.name }}{{ else }}a", 1), ("{{ }}", 1), ("{{ . | }}", 1),
            ("{{ quote }}", 1), ("{{ quote . . }}", 1), ("{{ (eq . .) }}", 1), ("{{ $x }}", 1), ("{{ .Values. }}", 1),
            ("{{ \"a\\n\" }}", 1), ("{{ \"a }}", 1), ("{{ .Values.name -}}", 1), ("{{/* a */}}", 1),
            ("{{ with .Values.name }}{{ else }}{{ end }}", 1), ("{{ template \"a\" }}", 1), ("{{ end .x }}", 1),
            ("{{ if eq .Values.name \"a\" | quote }}{{ end }}{{ quote . | eq }}", 1),
            // With these values alone.
            ("\n{{ .Values.absent }}", 2), ("{{ .Values.list }}", 1), ("{{ .Values.name.b }}", 1),
            ("{{ range .Values.name }}{{ end }}", 1), ("{{ eq .Values.list \"a\" }}", 1),
            ("{{ required \"r\" .Values.empty }}", 1), ("{{ quote .Values.mapping }}", 1),
        ])
    func refusals(_ text: String, _ line: Int) throws {
        let flaw = #expect(throws: TemplateFlaw.self) { try Self.rendered(text) }
        #expect(flaw?.line == line && flaw?.name == "t", "\(String(describing: flaw))")
    }
}
