package import Wire

/// Members of messages that are asked for again and again: all are found in one pass over a message, however many paths
/// name them.
package final class MemberTable: Sendable {
    /// By number: what is asked for, and what else messages are likely to hold.
    let names: JSONNames
    fileprivate let texts: [String]
    /// By the bytes of a name: texts that Swift takes for equal are other names.
    private let slots: [[UInt8]: Int]

    /// - Parameters:
    ///   - paths: of these, what is one member and no more has its place here, as long as there is one.
    ///   - others: names that are likely to occur.
    package init(_ paths: [Path], others: [String] = []) {
        var slots: [[UInt8]: Int] = [:]
        var texts: [String] = []
        for case let name? in paths.map(\.member) where slots[Array(name.utf8)] == nil && texts.count < JSONPlaces.mostNames {
            slots[Array(name.utf8)] = texts.count
            texts.append(name)
        }
        self.slots = slots
        self.texts = texts
        names = JSONNames(texts + others)
    }

    /// A path as it is asked for in what `find` gives.
    package func entry(_ path: Path) -> Entry { path.member.flatMap { slots[Array($0.utf8)] }.map(Entry.found) ?? .path(path) }

    package enum Entry: Sendable {
        /// The place of what was found.
        case found(Int)
        /// It is looked up in the message itself.
        indirect case path(Path)
    }

    /// Several values that are asked for together, each at the first of its paths that yields one.
    package func list(_ paths: [[Path]]) -> List { List(paths.map { $0.map(entry) }) }

    package final class List: Sendable {
        package let entries: [[Entry]]
        /// The places of those that can stand in one place only; -1 of others.
        fileprivate let slots: [Int]

        fileprivate init(_ entries: [[Entry]]) {
            self.entries = entries
            slots = entries.map { if $0.count == 1, case .found(let slot)? = $0.first { slot } else { -1 } }
        }
    }

    package func find(in message: JSON) -> Members {
        let places = if case .object(let members) = message { names.places(in: members) } else { JSONPlaces() }
        return Members(message, places, self)
    }
}

/// What a table found in one message. Behind one reference: whoever looks at a message is given all of it.
package final class Members: Sendable {
    let message: JSON
    private let places: JSONPlaces
    private let table: MemberTable

    /// - Parameter places: of the names of the table.
    init(_ message: JSON, _ places: JSONPlaces, _ table: MemberTable) {
        self.message = message
        self.places = places
        self.table = table
    }

    /// The member of that number, an explicit null included; of members with one name the last.
    @inline(__always)
    private func member(_ slot: Int) -> JSON? {
        guard places.isWhole else { return message[table.texts[slot]] }
        guard let place = places[slot], case .object(let members) = message, place < members.count else { return nil }
        return members[place].value
    }

    /// What kind of value the member of that number is.
    @inline(__always)
    func kind(_ slot: Int) -> ValueKinds {
        guard places.isWhole else { return message[table.texts[slot]].map { ValueKinds(of: $0) } ?? .absent }
        guard let place = places[slot], case .object(let members) = message, place < members.count else { return .absent }
        return ValueKinds(of: members[place].value)
    }

    /// Whether each of the list yields this text byte for byte, or nothing where there is none. Nothing else than a text is the
    /// same as one.
    package func say(_ texts: [String?], at list: MemberTable.List) -> Bool {
        guard texts.count == list.slots.count else { return false }
        guard places.isWhole, case .object(let members) = message else {
            return texts.indices.allSatisfy { Self.isSame(value(list.entries[$0]), texts[$0]) }
        }
        for index in texts.indices {
            let slot = list.slots[index]
            if slot < 0 {
                guard Self.isSame(value(list.entries[index]), texts[index]) else { return false }
                continue
            }
            // Looked at where it stands: what is taken out is counted.
            if let place = places[slot], place < members.count {
                switch members[place].value {
                case .string(let one): guard let other = texts[index], JSONText.isSame(one, other) else { return false }
                case .null: guard texts[index] == nil else { return false }
                default: return false
                }
            } else if texts[index] != nil {
                return false
            }
        }
        return true
    }

    /// The same of one of them.
    package func says(_ text: String?, at entries: [MemberTable.Entry]) -> Bool { Self.isSame(value(entries), text) }

    private static func isSame(_ value: JSON?, _ text: String?) -> Bool {
        switch (value, text) {
        case (nil, nil): true
        case (.string(let one)?, let other?): JSONText.isSame(one, other)
        default: false
        }
    }

    /// The string that stands there.
    func string(_ entry: MemberTable.Entry) -> String? {
        guard case .found(let slot) = entry, places.isWhole, case .object(let members) = message else { return value(entry)?.string }
        guard let place = places[slot], place < members.count, case .string(let text) = members[place].value else { return nil }
        return text
    }

    /// As `Path.value`: null and absent yield nothing.
    package func value(_ entry: MemberTable.Entry) -> JSON? {
        switch entry {
        case .found(let slot):
            guard let value = member(slot) else { return nil }
            if case .null = value { return nil }
            return value
        case .path(let path): return path.value(in: message)
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
