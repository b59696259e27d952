import Telemetry
import Testing

@Suite("Fields of a JSON line")
struct JSONFieldsTests {
    private func fields(_ text: String) -> JSONFields? {
        let bytes = Array(text.utf8)
        return JSONFields(bytes.span)
    }

    @Test("are read as they were written")
    func roundTrip() throws {
        var writer = JSONWriter()
        let strange = "a\"b\\c\n\t\u{1}é\u{1F600}/"
        writer.beginObject()
        writer.field("peerId", strange)
        writer.field("count", 7)
        writer.beginArray("inner")
        writer.beginObject()
        writer.field("peerId", "another")
        writer.endObject()
        writer.endArray()
        writer.field("route", "r")
        writer.endObject()
        let read = try #require(fields(writer.text))
        #expect(read["peerId"] == strange && read["route"] == "r" && read["count"] == nil && read["inner"] == nil)
    }

    @Test(
        "of other forms of JSON are read, and of what is none are not",
        arguments: [
            (#" { "a" : "\u0041\uD83D\uDE00\/" , "b" : [ 1 , { } , null ] } "#, "A\u{1F600}/"),
            (#"{"a":"1","a":"2"}"#, "2"),
            (#"{"a":"1","a":2}"#, nil), ("{}", nil), (#"{"a":"\uD83D"}"#, nil), (#"{"a":"1"} x"#, nil),
            (#"{"a":"1""#, nil),
            (#"["a"]"#, nil), (#"{"a" "1"}"#, nil), (#"{"a":"1",}"#, nil), ("", nil), (#"{"a":}"#, nil),
            ("{\"a\":\"\n\"}", nil),
            (String(repeating: #"{"a":"#, count: 100), nil),
        ] as [(String, String?)])
    func forms(_ text: String, _ value: String?) { #expect(fields(text)?["a"] == value) }
}
