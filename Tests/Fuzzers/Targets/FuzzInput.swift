/// What libFuzzer's bytes stand for: up to eight files, and secrets of TLS. The marks are in the dictionary, so that a
/// mutation may split a file in two or give it keys.
struct FuzzInput {
    /// At least one.
    let files: [ArraySlice<UInt8>]
    let keyLog: ArraySlice<UInt8>?

    static let fileMark = Array("\n==file==\n".utf8)
    static let keyMark = Array("\n==keys==\n".utf8)
    private static let mostFiles = 8

    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        var keys: ArraySlice<UInt8>?
        if let mark = Self.find(Self.keyMark, in: rest) {
            keys = rest[mark.upperBound...]
            rest = rest[..<mark.lowerBound]
        }
        var files: [ArraySlice<UInt8>] = []
        while files.count + 1 < Self.mostFiles, let mark = Self.find(Self.fileMark, in: rest) {
            files.append(rest[..<mark.lowerBound])
            rest = rest[mark.upperBound...]
        }
        self.files = files + [rest]
        keyLog = keys
    }

    private static func find(_ mark: [UInt8], in bytes: ArraySlice<UInt8>) -> Range<Int>? {
        guard let first = mark.first else { return nil }
        var from = bytes.startIndex
        while let index = bytes[from...].firstIndex(of: first) {
            if bytes[index...].starts(with: mark) { return index..<(index + mark.count) }
            from = index + 1
        }
        return nil
    }
}
