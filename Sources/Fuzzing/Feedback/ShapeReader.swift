import Wire

/// What a JSON value looks like: keys and kinds, never values. Arrays are the set of their elements' shapes; depth and
/// width are bounded, because both are the sender's choice.
enum ShapeReader {
    private static let deepest = 6
    private static let widest = 64
    private static let elements = 16

    /// - Parameter echoes: shapes of objects that the requester sent; where one of them comes back, that is all that is
    ///   known, or a fuzzer would learn its own inventions.
    static func hash(of value: JSON, echoes: Set<UInt64> = []) -> UInt64 { shape(value, deepest, echoes) }

    /// Recursion ends at `deepest`.
    private static func shape(_ value: JSON, _ depth: Int, _ echoes: Set<UInt64>) -> UInt64 {
        switch value {
        case .null: return 1
        case .bool: return 2
        case .number: return 3
        case .string: return 4
        case .array(let all):
            guard depth > 0 else { return 5 }
            let kinds = Set(all.prefix(elements).map { shape($0, depth - 1, echoes) }).sorted()
            return kinds.reduce(FeatureHash.mixed(5)) { FeatureHash.join($0, $1) }
        case .object(let members):
            guard depth > 0 else { return 6 }
            let fields = members.prefix(widest).map { FeatureHash.join(key($0.key), shape($0.value, depth - 1, echoes)) }
            let hash = Set(fields).sorted().reduce(FeatureHash.mixed(6)) { FeatureHash.join($0, $1) }
            return echoes.contains(hash) ? 7 : hash
        }
    }

    /// Keys that are ids (`{"a81f…": {}}`) are all the same key.
    private static func key(_ key: String) -> UInt64 {
        var state = FeatureHash.start
        var count = 0
        for byte in key.utf8 {
            count += 1
            if (0x30...0x39).contains(byte) || byte >= 0x80 || count > 40 { return 8 }
            state = FeatureHash.step(state, byte)
        }
        return FeatureHash.mixed(state)
    }
}
