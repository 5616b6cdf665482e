/// The last bytes of each half stream that were passed on, so that bytes which are sent again can be compared with them.
/// Rings in one array: a byte's place in its ring is its place in the stream.
struct TailStore {
    static let size = 512
    private var bytes: [UInt8] = []

    mutating func makeRoom(halves: Int) {
        let missing = halves &* Self.size &- bytes.count
        if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: missing)) }
    }

    /// Keeps the end of what a half sent: `count` bytes from `start`, the first of which has the place `at`.
    @inline(__always)
    mutating func keep(_ half: Int, _ source: RawSpan, _ start: Int, _ count: Int, at: UInt32) {
        let kept = min(count, Self.size)
        guard kept > 0, start >= 0, count <= source.byteCount &- start, (half &+ 1) &* Self.size <= bytes.count else {
            return
        }
        let from = start &+ count &- kept
        let place = Int((at &+ UInt32(truncatingIfNeeded: count &- kept)) & UInt32(Self.size &- 1))
        let front = min(kept, Self.size &- place)
        let base = half &* Self.size
        unsafe bytes.withUnsafeMutableBytes { ring in
            unsafe source.withUnsafeBytes { source in
                guard let ring = ring.baseAddress, let source = source.baseAddress else { return }
                unsafe (ring + base + place).copyMemory(from: source + from, byteCount: front)
                if front < kept {
                    unsafe (ring + base).copyMemory(from: source + from + front, byteCount: kept &- front)
                }
            }
        }
    }

    /// Whether the `count` bytes from `start` are those that were kept for the place `at`.
    func equals(_ half: Int, _ source: RawSpan, _ start: Int, _ count: Int, at: UInt32) -> Bool {
        guard (half &+ 1) &* Self.size <= bytes.count, count <= Self.size else { return true }
        for index in 0..<max(0, count) {
            let place = Int((at &+ UInt32(truncatingIfNeeded: index)) & UInt32(Self.size &- 1))
            if bytes[half &* Self.size &+ place] != source.byte(start &+ index) { return false }
        }
        return true
    }
}
