import Testing

@testable import Journaling

@Suite struct NumberPlacesTests {
    /// Whatever the numbers, each keeps its place until it gives it up, and nobody has another's.
    @Test(arguments: [1, 16, 65_536, 1 << 40] as [UInt64])
    func eachHasItsPlaceAlone(stride: UInt64) {
        var places = NumberPlaces()
        var known: [UInt64: Int] = [:]
        var dice: UInt64 = 7
        for _ in 0..<3_000 {
            dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = (dice >> 33) % 300 &* stride
            if dice >> 63 == 0 {
                let place = places.add(number)
                #expect(known[number] == nil || known[number] == place)
                known[number] = place
            } else {
                #expect(places.remove(number) == known.removeValue(forKey: number))
            }
            #expect(places.count == known.count)
            #expect(places[number] == known[number])
        }
        for (number, place) in known { #expect(places[number] == place) }
        #expect(Set(known.values).count == known.count)
        // None lies beyond as many as there ever were at a time.
        #expect(known.values.allSatisfy { (0..<300).contains($0) })
    }

    @Test func thoseInARowFillPlacesInARow() {
        var places = NumberPlaces()
        for number in 1...1_000 as ClosedRange<UInt64> { #expect(places.add(number) == Int(number) - 1) }
        #expect(places[0] == nil)
        #expect(places[1_001] == nil)
        #expect(places.remove(500) == 499)
        #expect(places.remove(500) == nil)
        #expect(places.add(70_000) == 499)
    }
}
