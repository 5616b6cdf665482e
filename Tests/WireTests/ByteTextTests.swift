import Testing

@testable import Wire

@Suite struct ByteTextTests {
    private func stands(_ text: StaticString, _ line: [UInt8], _ place: Int) -> Bool { ByteText.stands(text, in: line.span, at: place) }

    private func value(of name: StaticString, _ line: [UInt8], _ place: Int) -> Int? {
        ByteText.value(of: name, in: line.span, at: place)
    }

    @Test(arguments: ["" as StaticString, "a", "to", "dir", "kind", "first", "faults", "toClient", "\"toServer\"", "a text of 17 bytes"])
    func textsStandWhereTheyStand(text: StaticString) {
        let wanted = Array("\(text)".utf8)
        for place in [0, 1, 7, 30] {
            let line = [UInt8](repeating: 0x2e, count: place) + [0x22] + wanted + [0x22, 0x3a, 0x31]
            #expect(stands(text, line, place + 1))
            #expect(value(of: text, line, place) == place + wanted.count + 3)
            for index in place..<line.count - 1 {
                var other = line
                other[index] ^= 1
                let isWithin = index > place && index <= place + wanted.count
                #expect(stands(text, other, place + 1) != isWithin)
                #expect(value(of: text, other, place) == nil)
            }
            for count in 0..<line.count {
                let cut = Array(line[..<count])
                #expect(stands(text, cut, place + 1) == (count >= place + 1 + wanted.count))
                #expect((value(of: text, cut, place) == nil) == (count < place + wanted.count + 3))
            }
            #expect(!stands(text, line, -1) && value(of: text, line, -1) == nil)
        }
    }
}
