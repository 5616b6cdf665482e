import Journaling
import Testing

@Suite struct UTCTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (1_789_999_336_014_000_000, "2026-09-21T14:02:16.014Z"),
        (-1_000_000, "1969-12-31T23:59:59.999Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
    ] as [(Int64, String)])
    func textsAndTimesAgree(_ nanoseconds: Int64, _ text: String) {
        #expect(UTC.text(nanoseconds) == text)
        #expect(UTC.nanoseconds(text) == nanoseconds)
    }

    @Test(arguments: [
        ("2026-09-21T16:02:16.014233+02:00", 1_789_999_336_014_233_000), ("2026-09-21 14:02:16Z", 1_789_999_336_000_000_000),
        ("2026-09-21t12:32:16,5-01:30", 1_789_999_336_500_000_000), ("1970-01-01T00:00:00.1234567899z", 123_456_789),
    ] as [(String, Int64)])
    func otherForms(_ text: String, _ nanoseconds: Int64) { #expect(UTC.nanoseconds(text) == nanoseconds) }

    @Test(arguments: [
        "", "2026", "2026-09-21", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00Zx", "9999-01-01T00:00:00Z", "2026-01-01T00:00:00+99:00", "x026-01-01T00:00:00Z",
    ])
    func whatIsNoTime(_ text: String) { #expect(UTC.nanoseconds(text) == nil) }

    @Test func theEndsOfTheRangeDoNotTrap() {
        #expect(UTC.text(.min) == "1677-09-21T00:12:43.145Z")
        #expect(UTC.text(.max) == "2262-04-11T23:47:16.854Z")
    }
}
