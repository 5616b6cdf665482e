package import Wire

/// Members of messages that are asked for again and again: all are found in one pass over a message, however many paths
/// name them.
package final class MemberTable: Sendable {
    private let names: [String]
    private let lengths: [Int]
    private let slots: [String: Int]

    /// - Parameter paths: of these, what is one member and no more has its place here.
    package init(_ paths: [Path]) {
        var slots: [String: Int] = [:]
        var names: [String] = []
        for case let name? in paths.map(\.member) where slots[name] == nil {
            slots[name] = names.count
            names.append(name)
        }
        self.slots = slots
        self.names = names
        lengths = names.map(\.utf8.count)
    }

    /// A path as it is asked for in what `find` gives.
    package func entry(_ path: Path) -> Entry { path.member.flatMap { slots[$0] }.map(Entry.found) ?? .path(path) }

    package enum Entry: Sendable {
        /// The place of what was found.
        case found(Int)
        /// It is looked up in the message itself.
        indirect case path(Path)
    }

    package func find(in message: JSON) -> Members {
        var found = [JSON?](repeating: nil, count: names.count)
        guard case .object(let members) = message else { return Members(message: message, found: found) }
        // Of members with one name the last counts.
        for place in members.indices {
            let length = members[place].key.utf8.count
            for slot in lengths.indices where lengths[slot] == length && JSONText.isSame(names[slot], members[place].key) {
                found[slot] = members[place].value
                break
            }
        }
        return Members(message: message, found: found)
    }
}

/// What a table found in one message.
package struct Members: Sendable {
    let message: JSON
    let found: [JSON?]

    /// As `Path.lookup`.
    func lookup(_ entry: MemberTable.Entry) -> Path.Lookup {
        switch entry {
        case .found(let slot): found[slot].map(Path.Lookup.one) ?? .absent
        case .path(let path): path.lookup(in: message)
        }
    }

    /// As `Path.value`: null and absent yield nothing.
    package func value(_ entry: MemberTable.Entry) -> JSON? {
        switch entry {
        case .found(let slot): if case .null? = found[slot] { nil } else { found[slot] }
        case .path(let path): path.value(in: message)
        }
    }

    /// Of the first that yields one.
    package func value(_ entries: [MemberTable.Entry]) -> JSON? {
        for entry in entries {
            if let value = value(entry) { return value }
        }
        return nil
    }
}
