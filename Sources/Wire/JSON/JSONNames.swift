/// Keys that are met again and again: of each there is one text, which is found without making it, and a number.
package struct JSONNames: Sendable {
    private struct Slot {
        var print = JSONKeyPrint.none
        var text = ""
        /// -1: nothing is here.
        var number = -1
    }
    /// Each name where its hash points to or behind that; more than half of them are empty.
    private let slots: [Slot]

    /// - Parameter names: numbered from 0 in this order; of equal ones the first counts.
    package init(_ names: [String]) {
        var size = 8
        while size < 4 * names.count { size *= 2 }
        var slots = [Slot](repeating: Slot(), count: size)
        for (number, name) in names.enumerated() {
            let print = JSONKeyPrint(name)
            var place = print.place(in: size)
            while slots[place].number >= 0, !JSONText.isSame(slots[place].text, name) { place = (place + 1) & (size - 1) }
            if slots[place].number < 0 { slots[place] = Slot(print: print, text: name, number: number) }
        }
        self.slots = slots
    }

    /// Nil for a key that is none of these.
    package func number(of key: String) -> Int? {
        find(JSONKeyPrint(key)) { JSONText.isSame($0, key) }.map { slots[$0].number }
    }

    /// Where the members stand that have one of these names.
    package func places(in members: [JSON.Member]) -> JSONPlaces {
        var places = JSONPlaces()
        for place in members.indices {
            if let number = number(of: members[place].key) { places.set(number, to: place) }
        }
        return places
    }

    /// The name and its number.
    /// - Parameter range: of the key in `bytes`, in which it has no escapes.
    @inline(__always)
    func name(_ print: JSONKeyPrint, in bytes: Span<UInt8>, _ range: Range<Int>) -> (text: String, number: Int)? {
        guard let place = find(print, { JSONText.isSame($0, JSONText.text(bytes, range)) }) else { return nil }
        return (slots[place].text, slots[place].number)
    }

    /// - Parameter isSame: whether the key is this name, asked where the print does not tell.
    @inline(__always)
    private func find(_ print: JSONKeyPrint, _ isSame: (String) -> Bool) -> Int? {
        var place = print.place(in: slots.count)
        while slots[place].number >= 0 {
            if slots[place].print == print, print.isWhole || isSame(slots[place].text) { return place }
            place = (place &+ 1) & (slots.count &- 1)
        }
        return nil
    }
}

/// Where the members of one object stand that have names of a `JSONNames`.
package struct JSONPlaces: Sendable {
    /// How many names have a place.
    package static let mostNames = 32

    /// By the number of the name one byte, the first one lowest: one more than the place, 0 where there is no such member.
    /// Words and no vector: who keeps a vector needs memory that is aligned for it, which takes longer to get.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    /// False when there are more members than can be told: then nothing is said of any.
    package private(set) var isWhole = true

    package init() {}

    /// Of members with one name the last counts.
    @inline(__always)
    package mutating func set(_ number: Int, to place: Int) {
        guard number < Self.mostNames else { return }
        guard place < 255 else { return isWhole = false }
        let shift = UInt64(truncatingIfNeeded: 8 &* (number & 7))
        let (mask, stored) = ((0xff as UInt64) &<< shift, UInt64(truncatingIfNeeded: place &+ 1) &<< shift)
        switch number &>> 3 {
        case 0: words.0 = words.0 & ~mask | stored
        case 1: words.1 = words.1 & ~mask | stored
        case 2: words.2 = words.2 & ~mask | stored
        default: words.3 = words.3 & ~mask | stored
        }
    }

    /// - Parameter number: below `mostNames`.
    @inline(__always)
    package subscript(number: Int) -> Int? {
        let word =
            switch number &>> 3 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        let stored = Int(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: 8 &* (number & 7))) & 0xff
        return stored == 0 ? nil : stored &- 1
    }
}
