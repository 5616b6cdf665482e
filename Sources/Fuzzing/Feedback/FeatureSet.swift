/// The features of one run: the first `most` that came, in the order of the journal, so that what does not fit is the
/// same every time.
struct FeatureSet {
    static let most = 4096
    private var known: Set<UInt64> = []

    mutating func insert(_ feature: UInt64) {
        if known.count < Self.most { known.insert(feature) }
    }

    mutating func insert(_ kind: FeatureKind, _ a: UInt64, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0) {
        insert(FeatureHash.feature(kind, a, b, c, d))
    }

    var sorted: [UInt64] { known.sorted() }
}
