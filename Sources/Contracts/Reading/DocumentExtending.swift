package import Journaling

extension Document {
    /// This document with another laid over it, as `extends` does: mappings merge (the other's entries come first, so
    /// that they are tried first; entries of `states` keep their order, because the first is the initial one),
    /// anything else replaces, `null` removes.
    package func extended(by other: Document) -> Document { merged(other, key: "") }

    /// Depth is bounded by the reader of both (trust.md L6).
    private func merged(_ other: Document, key: String) -> Document {
        guard let mine = map, let theirs = other.map else { return other }
        var removed: Set<String> = []
        var own: [Field] = []
        for field in theirs {
            guard let base = mine.first(where: { $0.key == field.key }) else {
                own.append(field)
                continue
            }
            removed.insert(field.key)
            if field.value.scalar?.isNull == true { continue }
            own.append(
                Field(key: field.key, mark: field.mark, value: base.value.merged(field.value, key: field.key)))
        }
        if key == "states" {
            let kept = mine.compactMap { field in
                removed.contains(field.key) ? own.first { $0.key == field.key } : field
            }
            let added = own.filter { field in !mine.contains { $0.key == field.key } }
            return Document(.map(kept + added), mark: other.mark)
        }
        return Document(.map(own + mine.filter { !removed.contains($0.key) }), mark: other.mark)
    }
}
