import Contracts
import NIOCore
import Wire

/// Writes two messages as lines of which some are recorded and some are now, ids by the names that they are bound to.
/// The type stands first, then the members in their recorded order; what does not matter is left out.
struct DiffComposer {
    let knowledge: FieldKnowledge
    let binding: Rebinding
    let run: String

    private struct Item {
        var key: String
        var old: String?
        var new: String?
        var isChanged: Bool { old != new }
    }

    func diff(_ recorded: Said, _ now: Said, _ changes: [FieldChange]) -> MessageDiff {
        guard let old = recorded.value, let new = now.value, case .object(let before) = old, case .object(let after) = new
        else {
            return MessageDiff([.init(.recorded, Self.whole(recorded)), .init(.now, Self.whole(now))])
        }
        let changed = Set(changes.compactMap(\.place.member))
        let (oldRoles, newRoles) = (knowledge.roles(in: old, run: run), knowledge.roles(in: new, run: run))
        var items: [Item] = []
        for member in Self.ordered(before, after) {
            let (left, right) = (old[member], new[member])
            if !changed.contains(member) {
                guard let left, oldRoles[JSONPlace([.key(member)])] != .volatile else { continue }
                let shown = text(left, at: member, oldRoles)
                items.append(Item(key: member, old: shown, new: shown))
            } else {
                items.append(
                    Item(
                        key: member, old: left.map { text($0, at: member, oldRoles) },
                        new: right.map { text($0, at: member, newRoles) }))
            }
        }
        return MessageDiff(lines(items))
    }

    /// A message that has no counterpart.
    func whole(_ said: Said, _ mark: MessageDiff.Mark) -> MessageDiff {
        guard let value = said.value, case .object(let members) = value else {
            return MessageDiff([.init(mark, Self.whole(said))])
        }
        let roles = knowledge.roles(in: value, run: run)
        let items = Self.ordered(members, []).filter { roles[JSONPlace([.key($0)])] != .volatile }
            .compactMap { key in value[key].map { Self.quoted(key) + ":" + text($0, at: key, roles) } }
        return MessageDiff([.init(mark, "{" + items.joined(separator: ",") + "}")])
    }

    private static func ordered(_ before: [JSON.Member], _ after: [JSON.Member]) -> [String] {
        var keys: [String] = []
        var known: Set<String> = []
        for key in before.map(\.key) + after.map(\.key) where known.insert(key).inserted { keys.append(key) }
        if let place = keys.firstIndex(of: "type"), place > 0 {
            keys.remove(at: place)
            keys.insert("type", at: 0)
        }
        return keys
    }

    private func lines(_ items: [Item]) -> [MessageDiff.Line] {
        var lines: [MessageDiff.Line] = []
        var context = "{"
        for (index, item) in items.enumerated() {
            let tail = index == items.count - 1 ? "}" : ","
            if !item.isChanged {
                context += Self.quoted(item.key) + ":" + (item.old ?? "") + tail
                continue
            }
            if !context.isEmpty { lines.append(.init(.both, context)) }
            context = ""
            if let old = item.old { lines.append(.init(.recorded, Self.quoted(item.key) + ":" + old + tail)) }
            if let new = item.new { lines.append(.init(.now, Self.quoted(item.key) + ":" + new + tail)) }
        }
        if !context.isEmpty { lines.append(.init(.both, context)) }
        return lines
    }

    private static func quoted(_ key: String) -> String { JSONText.quoted(key) }

    /// The value in its shortest form, ids by their names, without members that do not matter.
    private func text(_ value: JSON, at member: String, _ roles: [JSONPlace: FieldKnowledge.Role]) -> String {
        let document = JSONDocument(ByteBuffer(string: value.text))
        guard document.root != nil else { return value.text }
        var shown = ""
        var copied = 0
        for (index, node) in document.nodes.enumerated() {
            guard node.kind == .string || node.kind == .number, node.range.lowerBound >= copied,
                let leaf = document.value(of: index)
            else { continue }
            let place = JSONPlace([.key(member)] + Self.steps(to: index, in: document))
            var space = ""
            if case .identity(_, let own) = roles[place] { space = own }
            guard let name = binding.name(of: leaf, in: space) else { continue }
            shown += document.text(copied..<node.range.lowerBound) + name
            copied = node.range.upperBound
        }
        return shown + document.text(copied..<document.bytes.count)
    }

    private static func steps(to index: Int, in document: JSONDocument) -> [JSONPlace.Step] {
        var steps: [JSONPlace.Step] = []
        var node = index
        while let parent = document.nodes[node].parent {
            switch document.nodes[parent].kind {
            case .object: steps.append(.key(document.key(of: node)))
            default: steps.append(.index(document.nodes[parent].children.firstIndex(of: node) ?? 0))
            }
            node = parent
        }
        return steps.reversed()
    }

    static func whole(_ said: Said) -> String {
        if let value = said.value { return value.text }
        guard let payload = said.payload else { return "a message that is not in the recording" }
        if said.opcode == .text { return JSONText.quoted(String(buffer: payload)) }
        let digits = Array("0123456789abcdef".utf8)
        let bytes = payload.readableBytesView.prefix(512)
        let hex = bytes.map { String(decoding: [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]], as: UTF8.self) }
        return "bytes " + hex.joined(separator: " ") + (payload.readableBytes > 512 ? " …" : "")
    }
}

/// What is different, in words.
enum ChangeWords {
    /// `source is gone`; `hits is 3, was 2`; `message and timestamp are gone`.
    static func sentence(_ recorded: Said, _ now: Said, _ changes: [FieldChange]) -> String {
        guard let old = recorded.value, let new = now.value else {
            return recorded.opcode == now.opcode ? "the text differs" : "the kind of message differs"
        }
        if changes.contains(where: { $0.place.steps.isEmpty }) { return "the message differs" }
        var gone: [String] = []
        var added: [String] = []
        var parts: [String] = []
        for change in changes {
            let name = change.place.lastName ?? change.place.general
            switch change.kind {
            case .gone: if !gone.contains(name) { gone.append(name) }
            case .added: if !added.contains(name) { added.append(name) }
            case .changed:
                guard parts.count < 3 else { continue }
                let (before, after) = (value(at: change.place, in: old), value(at: change.place, in: new))
                parts.append("\(name) is \(brief(after)), was \(brief(before))")
            }
        }
        if !gone.isEmpty { parts.append(list(gone) + (gone.count == 1 ? " is gone" : " are gone")) }
        if !added.isEmpty { parts.append(list(added) + (added.count == 1 ? " is new" : " are new")) }
        return parts.joined(separator: "; ")
    }

    private static func list(_ names: [String]) -> String {
        if names.count > 4 { return names.prefix(3).joined(separator: ", ") + " and \(names.count - 3) more" }
        guard names.count > 1, let last = names.last else { return names.joined() }
        return names.dropLast().joined(separator: ", ") + " and " + last
    }

    private static func value(at place: JSONPlace, in message: JSON) -> JSON? {
        var current: JSON? = message
        for step in place.steps {
            switch step {
            case .key(let name): current = current?[name]
            case .index(let index): current = current?[index]
            }
        }
        return current
    }

    private static func brief(_ value: JSON?) -> String {
        let text = value?.text ?? "gone"
        return text.count <= 40 ? text : text.prefix(39) + "…"
    }
}
