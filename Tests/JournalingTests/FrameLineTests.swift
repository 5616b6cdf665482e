import NIOCore
import Testing
import Wire

@testable import Journaling

/// The quick way through the line of a frame says what reading field by field says, or nothing.
@Suite struct FrameLineTests {
    private static let lines = [
        #"{"n":4414,"t":9,"seq":77,"ref":"s31.12","kind":"frame","dir":"toServer","in":5,"out":9,"first":129,"len":15,"#
            + #""mask":"37fA213d","text":"{\"type\":\"ping\"}","msg":{"n":2,"op":1,"same":true},"read":3}"#,
        #"{"n":12345678,"t":965350000123,"loop":3,"seq":0,"kind":"frame","dir":"toClient","out":965350000123,"first":1,"len":126,"#
            + #""text":"é \u0041 and more","msg":{"n":10,"op":10,"same":true}}"#,
        #"{"n":0,"t":0,"seq":0,"ref":"s0.0","kind":"frame","dir":"toClient","in":12345678,"first":137,"len":0,"read":123456789}"#,
        #"{"n":1,"t":1,"seq":1,"ref":"s4294967295.4294967295","kind":"frame","dir":"toClient","first":255,"len":65536}"#,
    ]

    private func byName(_ line: [UInt8]) -> EntryCodec.Line? { try? EntryCodec.byName(ByteBuffer(bytes: line), place: "x") }
    private func quickly(_ line: [UInt8]) -> EntryCodec.Line? { FrameLine.entry(ByteBuffer(bytes: line)).map { .entry($0) } }

    @Test(arguments: lines) func isReadAlikeHoweverItIsSpoilt(line: String) {
        let whole = Array(line.utf8)
        let wanted = byName(whole)
        #expect(wanted != nil && quickly(whole) == wanted)
        var same = 0
        for index in whole.indices {
            #expect(quickly(Array(whole[..<index])) == nil, "it ends at \(index)")
            let marks: [UInt8] = [0x30, 0x31, 0x39, 0x22, 0x5c, 0x2c, 0x7d, 0x61, 0x2d, 0x20, 0xc3, 0x00]
            let spoilt = marks.map { byte -> [UInt8] in
                var other = whole
                other[index] = byte
                return other
            }
            for other in spoilt + [Array(whole[..<index] + whole[(index + 1)...]), Array(whole[...index] + whole[index...])] {
                guard let read = quickly(other) else { continue }
                same += 1
                #expect(read == byName(other), "\(String(decoding: other, as: UTF8.self))")
            }
        }
        #expect(same > 50)
        #expect(quickly(whole + [0x20]) == nil && quickly(whole + whole) == nil)
    }

    @Test func numbersAreThoseThatFit() {
        let numbers = [
            "0", "7", "00", "01", "-1", "-0", "1.0", "1e1", "12345678", "123456789", "0123456789", "255", "256", "65535", "65536",
            "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "9999999999999999999", "18446744073709551615",
            "18446744073709551616", "99999999999999999999999", "", " 1", "1 ",
        ]
        let fields = [
            #""n":4414"#, #""t":9"#, #""loop":2"#, #""seq":77"#, #""in":5"#, #""first":129"#, #""len":15"#, #""n":2"#, #""op":1"#,
            #""read":3"#,
        ]
        let line = Self.lines[0].replacing(",\"seq\"", with: ",\"loop\":2,\"seq\"")
        var taken = 0
        for field in fields {
            let name = field.prefix { $0 != ":" }
            for number in numbers {
                let other = Array(line.replacing(field, with: "\(name):\(number)").utf8)
                let read = quickly(other)
                if read != nil { taken += 1 }
                #expect(read == nil || read == byName(other), "\(name) \(number)")
            }
        }
        #expect(taken > 80)
    }

    /// Frames as a recording holds most of them are read quickly, and what is not is read all the same.
    @Test func framesOfAllKindsAreReadAlike() {
        var generator = EntryGenerator(77)
        var taken = 0
        for _ in 0..<2_000 {
            var frame = generator.frame()
            if generator.flip() {
                let length = UInt64(frame.frame.payload.readableBytes)
                frame.frame.lengthForm = length < 126 ? .seven : .sixteen
                frame.frame.declaredLength = length
                frame.message?.payload = frame.frame.payload
                frame.message?.unlifted = nil
                frame.provenance = .none
                frame.redacted = false
                frame.wireSize = FrameRecord.wireSize(of: frame.frame)
            }
            let entry = Entry(
                number: generator.pick([0, 9, 10, .max]), instant: generator.instant(), loop: generator.pick([0, 1, .max]),
                sequence: generator.pick([0, 99_999_999, 100_000_000, .max]), ref: generator.flip() ? generator.ref() : nil,
                body: .frame(frame))
            var line = ByteBuffer()
            EntryCodec.encode(entry, into: &line)
            let content = line.readSlice(length: line.readableBytes - 1) ?? ByteBuffer()
            if let read = FrameLine.entry(content) {
                taken += 1
                #expect(read == entry)
            }
            #expect((try? EntryCodec.decode(content, place: "x")) == .entry(entry))
        }
        #expect(taken > 50)
    }
}
