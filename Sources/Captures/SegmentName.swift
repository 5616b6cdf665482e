/// `0001.ndjson`, `0002.ndjson`, … and `10000.ndjson` behind `9999.ndjson`.
enum SegmentName {
    static func text(_ number: UInt32) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ".ndjson"
    }

    /// Nil for any other name.
    static func number(_ name: String) -> UInt32? {
        guard name.hasSuffix(".ndjson"), let number = UInt32(name.dropLast(7)), number > 0, text(number) == name else {
            return nil
        }
        return number
    }

    static func path(_ directory: String, _ name: String) -> String {
        directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }
}
