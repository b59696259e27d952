import Telemetry
import Testing

@Suite("Civil time")
struct CivilTimeTests {
    @Test(
        "Unix seconds read as RFC 3339",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"), (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"), (2_147_483_648, "2038-01-19T03:14:08Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (-62_135_596_800, "0001-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func seconds(unix: Int64, text: String) {
        #expect(CivilTime.rfc3339(unixSeconds: unix) == text)
    }

    @Test(
        "Unix nanoseconds are cut to milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_999_999, "1970-01-01T00:00:00.001Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (1_700_000_000_123_456_789, "2023-11-14T22:13:20.123Z"),
        ] as [(Int64, String)])
    func nanoseconds(unix: Int64, text: String) {
        #expect(CivilTime.rfc3339(unixNanoseconds: unix) == text)
    }
}
