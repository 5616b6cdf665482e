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
    }

    @Test func theEndsOfTheRangeDoNotTrap() {
        #expect(UTC.text(.min) == "1677-09-21T00:12:43.145Z")
        #expect(UTC.text(.max) == "2262-04-11T23:47:16.854Z")
    }
}
