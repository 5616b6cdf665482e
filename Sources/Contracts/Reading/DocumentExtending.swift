package import Journaling

extension Document {
    /// This document with another laid over it, as `extends` does: mappings merge (the other's entries come first, so
    /// that they are tried first; entries of `states` keep their order, because the first is the initial one),
    /// anything else replaces, `null` removes.
    package func extended(by other: Document) -> Document { merged(other, key: "") }

    /// Depth is bounded by the reader of both (trust.md L6).
    private func merged(_ other: Document, key: String) -> Document {
        guard let mine = map, let theirs = other.map else { return other }
        let base = Self.places(of: mine)
        var own: [Field] = []
        for field in theirs {
            guard let place = base[field.key] else {
                own.append(field)
                continue
            }
            if field.value.scalar?.isNull == true { continue }
            let value = mine[place].value.merged(field.value, key: field.key)
            own.append(Field(key: field.key, mark: field.mark, value: value))
        }
        let laid = Self.places(of: theirs)
        guard key == "states" else {
            return Document(.map(own + mine.filter { laid[$0.key] == nil }), mark: other.mark)
        }
        let now = Self.places(of: own)
        let kept = mine.compactMap { field in laid[field.key] == nil ? field : now[field.key].map { own[$0] } }
        return Document(.map(kept + own.filter { base[$0.key] == nil }), mark: other.mark)
    }

    private static func places(of fields: [Field]) -> [String: Int] {
        Dictionary(fields.enumerated().map { ($1.key, $0) }) { first, _ in first }
    }
}
