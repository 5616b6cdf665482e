import NIOCore
import Wire

/// The scalar values of a message that may be told apart from others, and where they stand.
struct LiftLeaf {
    var value: JSON
    /// Members to walk down; nil where a template cannot go: through an array, or by a name of other signs.
    var path: [String]?

    static let mostOfOneMessage = 4_096
    static let longest = 512

    /// In the order of the text; empty for what is no JSON.
    static func all(in payload: ByteBuffer) -> [LiftLeaf] {
        let document = JSONDocument(payload)
        guard document.problem == nil else { return [] }
        var found: [LiftLeaf] = []
        for index in document.nodes.indices {
            let node = document.nodes[index]
            guard node.kind == .string || node.kind == .number, node.range.count <= longest,
                let value = document.value(of: index), isTelling(value)
            else { continue }
            found.append(LiftLeaf(value: value, path: path(to: index, in: document)))
            if found.count >= mostOfOneMessage { break }
        }
        return found
    }

    /// Words that anybody may say prove nothing: a text must have four signs with a digit among them, or eight in mixed
    /// case; a number must reach 1000.
    static func isTelling(_ value: JSON) -> Bool {
        switch value {
        case .string(let text):
            let bytes = Array(text.utf8)
            guard bytes.count >= 4, bytes.count <= longest, !bytes.contains(UInt8(ascii: " ")) else { return false }
            if bytes.contains(where: isDigit) { return true }
            let lower = bytes.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
            let upper = bytes.dropFirst().contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            return bytes.count >= 8 && lower && upper
        case .number: return value.double.map { $0.isFinite && abs($0) >= 1_000 } ?? false
        default: return false
        }
    }

    private static func path(to index: Int, in document: JSONDocument) -> [String]? {
        var names: [String] = []
        var node = index
        while let parent = document.nodes[node].parent {
            let name = document.key(of: node)
            guard document.nodes[parent].kind == .object, isMember(name), names.count < 8 else { return nil }
            names.append(name)
            node = parent
        }
        return names.isEmpty ? nil : names.reversed()
    }

    /// What a reference can name.
    private static func isMember(_ name: String) -> Bool {
        guard let first = name.utf8.first, isNameStart(first) else { return false }
        return name.utf8.allSatisfy { isNameStart($0) || isDigit($0) }
    }
}

/// Where each value that events brought can be found again.
struct LiftValues {
    private struct Source: Hashable {
        var user: String
        var run: Int?
        var path: [String]
    }
    private static let mostValues = 200_000
    private static let mostSources = 12
    /// Newest last.
    private var sources: [JSON: [Source]] = [:]

    mutating func note(_ leaves: [LiftLeaf], user: String, run: Int?) {
        for leaf in leaves {
            guard let path = leaf.path, sources[leaf.value] != nil || sources.count < Self.mostValues else { continue }
            for source in [Source(user: user, run: nil, path: path)]
                + (run.map { [Source(user: user, run: $0, path: path)] } ?? [])
            {
                var known = sources[leaf.value] ?? []
                known.removeAll { $0 == source }
                if known.count >= Self.mostSources { known.removeFirst() }
                known.append(source)
                sources[leaf.value] = known
            }
        }
    }

    /// A reference that gives exactly this value here and now: of the user's own runs first, then of its other events,
    /// then of other users.
    func reference(to value: JSON, for user: String, _ binding: Binding) -> Reference? {
        guard let known = sources[value] else { return nil }
        func rank(_ source: Source) -> Int { (source.user == user ? 0 : 2) + (source.run == nil ? 1 : 0) }
        let order = known.indices.sorted { (rank(known[$0]), -$0) < (rank(known[$1]), -$1) }
        for index in order {
            let source = known[index]
            guard source.path != ["credential"], source.run != nil || source.path.first.flatMap(runNumber) == nil else {
                continue
            }
            var words = source.path
            if let run = source.run { words.insert("run\(run)", at: 0) }
            if source.run == nil || source.user != user { words.insert(source.user, at: 0) }
            let reference = Reference(
                user: source.run != nil && source.user == user ? nil : source.user, run: source.run, path: source.path,
                text: words.joined(separator: "."))
            if binding.value(of: reference, for: user) == value { return reference }
        }
        return nil
    }
}
