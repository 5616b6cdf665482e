/// One thing that is fuzzed by itself: what the promise is, and whether some bytes break it. libFuzzer runs these under
/// `.ci/fuzz-targets`, the unit tests run them over the files that are kept under `corpus/fuzzed/NAME`.
package struct Check: Sendable {
    package let name: String
    /// - Throws: `Broken`, with the promise that these bytes break.
    package let run: @Sendable ([UInt8]) throws(Broken) -> Void

    package static let all: [Check] = [
        Check(name: "frames") { bytes throws(Broken) in try FrameCheck(bytes).run() },
        Check(name: "heads") { bytes throws(Broken) in try HeadCheck(bytes).run() },
        Check(name: "deflate") { bytes throws(Broken) in try DeflateCheck(bytes).run() },
        Check(name: "text") { bytes throws(Broken) in try TextCheck(bytes).run() },
        Check(name: "session") { bytes throws(Broken) in try SessionCheck(bytes).run() },
    ]
}

/// A promise that does not hold.
package struct Broken: Error {
    package let sentence: String
    init(_ sentence: String) { self.sentence = sentence }
}

func demand(_ isKept: Bool, _ sentence: @autoclosure () -> String) throws(Broken) {
    if !isKept { throw Broken(sentence()) }
}

/// The first bytes of an input choose how the rest is used.
struct Choices {
    private var bytes: ArraySlice<UInt8>
    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    /// Zero when there is none left.
    mutating func next() -> UInt8 { bytes.popFirst() ?? 0 }
    mutating func take(_ count: Int) -> [UInt8] {
        let part = Array(bytes.prefix(count))
        bytes = bytes.dropFirst(count)
        return part
    }
    var isOver: Bool { bytes.isEmpty }
    var rest: [UInt8] { Array(bytes) }

    /// Ways to cut the rest: at once, byte by byte where it is short, and as these two bytes say.
    func cuts(_ first: UInt8, _ second: UInt8) -> [[ArraySlice<UInt8>]] {
        var ways = [[bytes[...]]]
        if bytes.count <= 4_096 { ways.append(Self.pieces(bytes, [1])) }
        ways.append(Self.pieces(bytes, [Int(first) + 1, Int(second) * 7 + 1, 3]))
        return ways
    }

    private static func pieces(_ bytes: ArraySlice<UInt8>, _ sizes: [Int]) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes
        while !rest.isEmpty {
            let size = sizes[pieces.count % sizes.count]
            pieces.append(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        return pieces
    }
}
