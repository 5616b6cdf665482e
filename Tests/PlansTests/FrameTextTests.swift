import Testing
import Wire

@testable import Plans

@Suite struct FrameTextTests {
    private func frames(_ words: String) throws -> [Plan.FrameText] {
        let plan = try PlanText.parse("miswire plan 1\n---\nuser a credential none\n1 a \(words)\nfaults none\n")
        guard case .frames(let frames) = plan.steps[0].verb else { return [] }
        return frames
    }

    private func error(_ words: String) throws -> PlanError? {
        do { _ = try frames(words) } catch let found as PlanErrors { return found.errors.first }
        return nil
    }

    @Test func theExampleOfTheManualIsRead() throws {
        let frame = try #require(try frames(#"frames fin=0 rsv=4 op=1 mask=00000000 len=7:200 "text""#).first)
        #expect(
            frame
                == Plan.FrameText(
                    fin: false, rsv: 4, opcode: .text, mask: .key(0), length: .init(form: .seven, value: 200),
                    payload: .text("text")))
        #expect(frame.text == #"fin=0 rsv=4 op=1 mask=00000000 len=7:200 "text""#)
    }

    @Test func whatIsLeftOutGoesWithoutSaying() throws {
        #expect(try frames("frames op=9") == [Plan.FrameText(opcode: .ping)])
        #expect(try frames(#"frames "x""#) == [Plan.FrameText(payload: .text("x"))])
        #expect(try frames("frames hex 00ff 01") == [Plan.FrameText(payload: .bytes([0, 0xff, 1]))])
        #expect(try frames("frames mask=DEADbeef len=16:5 op=A").map(\.text) == ["op=a mask=deadbeef len=16:5"])
    }

    @Test func framesOfAStepAreApartBySemicolons() throws {
        let read = try frames(#"frames fin=0 op=1 hex e2 ; op=9 ; op=0 "; op=1" # comment ; op=2"#)
        #expect(read.map(\.text) == ["fin=0 op=1 hex e2", "op=9", #"op=0 "; op=1""#])
    }

    @Test func everyFrameReadsBackAsItWasPrinted() throws {
        let payloads: [Plan.FrameText.Payload] = [
            .text(""), .text("a \"b\" ; # \u{1}\n$run1.id {uuid}"), .bytes([]), .bytes([0, 0x81, 0xff]),
        ]
        let masks: [Plan.FrameText.Mask] = [.drawn, .none, .key(0), .key(.max), .key(0x0102_0304)]
        let lengths: [Plan.FrameText.Length?] = [
            nil, .init(form: .seven, value: 127), .init(form: .sixtyFour, value: .max),
        ]
        for code in UInt8(0)..<16 {
            var some: [Plan.FrameText] = []
            for (index, payload) in payloads.enumerated() {
                some.append(
                    Plan.FrameText(
                        fin: code % 2 == 0, rsv: code % 8, opcode: Opcode(rawValue: code),
                        mask: masks[(Int(code) + index) % masks.count],
                        length: lengths[(Int(code) + index) % lengths.count],
                        payload: payload))
            }
            #expect(try frames(PlanText.words(of: .frames(some))) == some)
        }
    }

    @Test(arguments: [
        ("frames", 11, "the frame is missing"),
        ("frames op=1 ;", 18, "the frame is missing"),
        ("frames ; op=1", 12, "the frame is missing"),
        ("frames op=g", 12, "`op=g` cannot be read"),
        ("frames op=+1", 12, "`op=+1` cannot be read"),
        ("frames fin=2", 12, "`fin=2` cannot be read"),
        ("frames rsv=8", 12, "`rsv=8` cannot be read"),
        ("frames mask=12", 12, "`mask=12` cannot be read"),
        ("frames mask=+1234567", 12, "`mask=+1234567` cannot be read"),
        ("frames len=8:1", 12, "`len=8:1` cannot be read"),
        ("frames len=7:-1", 12, "`len=7:-1` cannot be read"),
        ("frames len=64:18446744073709551616", 12, "`len=64:18446744073709551616` cannot be read"),
        ("frames op=1 op=2", 17, "`op` stands in this frame twice"),
        ("frames size=1", 12, "a frame has no `size`"),
        ("frames what", 12, "`what` is no part of a frame"),
        (#"frames "a" "b""#, 16, #"`"b"` stands behind the payload"#),
        ("frames hex 0g", 16, "`0g` is no byte"),
    ])
    func whatIsWrongIsSaidWithItsPlace(_ words: String, _ column: Int, _ sentence: String) throws {
        let found = try #require(try error(words))
        #expect(found.sentence == sentence)
        #expect(found.line == 4)
        #expect(found.column == column)
    }

    @Test func usersNamedInPayloadsMustBeUsersOfThePlan() throws {
        #expect(try error(#"frames op=1 "$bob.id""#)?.sentence == "`$bob` is no user of this plan")
    }
}
