import Foundation
import NIOCore

/// Reads the vector files beside this one: one case a line, `#` begins a comment.
enum Vectors {
    static func lines(_ name: String) throws -> [String] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors")
        let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        return text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    /// The columns of a file of hexadecimal cases, without the space around them.
    static func table(_ name: String) throws -> [[String]] {
        try lines(name).map { line in
            line.split(separator: ";", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
    }

    /// `81 05 00*3` as bytes.
    static func hex(_ text: String) -> ByteBuffer {
        var out = ByteBuffer()
        for word in text.split(separator: " ") {
            let parts = word.split(separator: "*")
            let digits = Array(parts[0].utf8)
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
            }
            let times = parts.count > 1 ? Int(parts[1]) ?? 1 : 1
            for _ in 0..<times { out.writeBytes(bytes) }
        }
        return out
    }

    /// A text with `\xNN`, and with `lines` also `\r`, `\n` and `\t`.
    static func unescaped(_ text: String, lines: Bool) -> ByteBuffer {
        var out = ByteBuffer()
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            if bytes[index] == UInt8(ascii: "\\") {
                if next == UInt8(ascii: "x"), index + 3 < bytes.count,
                    let value = UInt8(String(decoding: bytes[index + 2...index + 3], as: UTF8.self), radix: 16)
                {
                    out.writeInteger(value)
                    index += 4
                    continue
                }
                if lines, let end = [UInt8(ascii: "r"): 13, UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9][next] {
                    out.writeInteger(UInt8(end))
                    index += 2
                    continue
                }
            }
            out.writeInteger(bytes[index])
            index += 1
        }
        return out
    }
}

/// The ways in which a parser is fed: whole, byte by byte, and cut in two at every place.
func everyCut(_ bytes: ByteBuffer) -> [[ByteBuffer]] {
    let count = bytes.readableBytes
    let slice = { (range: Range<Int>) in
        // A copy at an odd place in its storage, so that no parser can lean on where a buffer begins.
        var out = ByteBuffer(repeating: 0xee, count: 3)
        out.writeBytes(bytes.getBytes(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? [])
        out.moveReaderIndex(to: 3)
        return out
    }
    var ways = [[slice(0..<count)], (0..<count).map { slice($0..<$0 + 1) }]
    for cut in 1..<max(1, count) { ways.append([slice(0..<cut), slice(cut..<count)]) }
    return ways
}

/// Small generator with a seed: the same inputs in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    mutating func bytes(_ count: Int) -> ByteBuffer {
        var out = ByteBuffer()
        for _ in 0..<count { out.writeInteger(UInt8(truncatingIfNeeded: next())) }
        return out
    }

    /// `bytes` with a few places changed, taken out or doubled.
    mutating func mutated(_ bytes: ByteBuffer) -> ByteBuffer {
        var all = Array(bytes.readableBytesView)
        for _ in 0...below(3) where !all.isEmpty {
            let place = below(all.count)
            switch below(4) {
            case 0: all[place] = UInt8(truncatingIfNeeded: next())
            case 1: all.remove(at: place)
            case 2: all.insert(all[place], at: place)
            default: all[place] ^= 1 << UInt8(below(8))
            }
        }
        return ByteBuffer(bytes: all)
    }

    /// `bytes` in pieces of random size.
    mutating func pieces(_ bytes: ByteBuffer) -> [ByteBuffer] {
        var rest = bytes
        var out: [ByteBuffer] = []
        while rest.readableBytes > 0, let piece = rest.readSlice(length: 1 + below(min(40, rest.readableBytes))) {
            out.append(piece)
        }
        return out
    }
}
