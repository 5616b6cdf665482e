/// `0001.ndjson`, `0002.ndjson`, … and `10000.ndjson` behind `9999.ndjson`; with `.gz` behind it when it is packed.
enum SegmentName {
    static func text(_ number: UInt32, isPacked: Bool = false) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ".ndjson" + (isPacked ? ".gz" : "")
    }

    static func isPacked(_ name: String) -> Bool { name.hasSuffix(".gz") }

    /// Nil for any other name.
    static func number(_ name: String) -> UInt32? {
        let plain = isPacked(name) ? String(name.dropLast(3)) : name
        guard plain.hasSuffix(".ndjson"), let number = UInt32(plain.dropLast(7)), number > 0, text(number) == plain else {
            return nil
        }
        return number
    }

    static func path(_ directory: String, _ name: String) -> String {
        directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }
}
