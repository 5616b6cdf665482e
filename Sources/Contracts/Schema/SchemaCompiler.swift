import Journaling
import Wire

/// Turns a document into schemas that refer to each other by number. Goes on behind an error, so that all are said at once.
/// A `$ref` is followed by number and never by copying, so schemas may lead back to themselves through a value's parts.
struct SchemaCompiler {
    private let root: Document
    private var dropsSiblings: Bool
    private(set) var problems: [JSONSchema.Problem] = []
    var nodes: [SchemaNode] = []
    private var marks: [Mark] = []
    /// Pointers from the root that are compiled already.
    private var places: [String: Int] = [:]
    /// Schemas with an address of their own that are being read.
    private var elsewhere = 0
    private var references: [(node: Int, pointer: String, mark: Mark)] = []

    /// A document with more schemas than this is refused.
    static let mostNodes = 10_000

    init(root: Document, dialect: JSONSchema.Dialect) {
        self.root = root
        dropsSiblings = dialect == .draft7
        guard let named = root["$schema"]?.scalar?.text else { return }
        if ["draft-03", "draft-04", "draft-05", "draft-06", "draft-07"].contains(where: named.contains) { dropsSiblings = true }
        if named.contains("/2019-09/") || named.contains("/2020-12/") { dropsSiblings = false }
    }

    mutating func compile(_ document: Document, isRoot: Bool) -> [SchemaNode] {
        _ = schema(document, isRoot ? "" : nil)
        var next = 0
        while next < references.count, nodes.count <= Self.mostNodes {
            let (node, pointer, mark) = references[next]
            next += 1
            guard let target = target(pointer, mark) else { continue }
            nodes[node].reference = target
            nodes[target].isShared = true
        }
        if nodes.count > Self.mostNodes {
            fail(document.mark, "the schema has more than 10,000 parts", "split it, or leave out what no message needs")
        }
        checkCircles()
        return nodes
    }

    // MARK: What is said

    mutating func fail(_ mark: Mark, _ message: String, _ remedy: String? = nil) {
        say(JSONSchema.Problem(severity: .error, mark: mark, error: PartError(message, remedy: remedy)))
    }

    mutating func warn(_ mark: Mark, _ message: String, _ remedy: String? = nil) {
        say(JSONSchema.Problem(severity: .warning, mark: mark, error: PartError(message, remedy: remedy)))
    }

    private mutating func say(_ problem: JSONSchema.Problem) {
        // What two pointers lead to is read twice.
        if problems.count < 200, !problems.contains(problem) { problems.append(problem) }
    }

    // MARK: Schemas

    /// - Parameter pointer: where it stands in the root, when that is known.
    mutating func schema(_ document: Document, _ pointer: String?) -> Int {
        let index = nodes.count
        nodes.append(SchemaNode())
        marks.append(document.mark)
        if let pointer, places[pointer] == nil { places[pointer] = index }
        guard nodes.count <= Self.mostNodes else { return index }
        if let plain = document.scalar?.bool {
            nodes[index].refusesAll = !plain
            return index
        }
        guard let fields = document.map else {
            fail(document.mark, "a schema is a mapping, true or false", "found \(document.found)")
            return index
        }
        let drops = dropsSiblings && fields.contains { $0.key == "$ref" }
        let own = drops || pointer == "" ? nil : fields.first { $0.key == "$id" || dropsSiblings && $0.key == "id" }
        if let own, own.value.scalar != nil {
            // Its references start from an address of its own.
            warn(own.mark, "\"\(own.key)\" within a schema is ignored; what references below it forbid is not judged")
            elsewhere += 1
        }
        for field in fields where !drops || field.key == "$ref" || Self.holders.contains(field.key) {
            keyword(field, of: index, pointer)
        }
        if own?.value.scalar != nil { elsewhere -= 1 }
        soften(index, fields)
        return index
    }

    static let holders = ["$defs", "definitions"]

    /// A schema below this one, at that key.
    mutating func below(_ document: Document, _ pointer: String?, _ keys: String...) -> Int {
        schema(document, pointer.map { keys.reduce($0) { $0 + "/" + Self.escaped($1) } })
    }

    private static func escaped(_ key: String) -> String {
        var out = ""
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": out += "~0"
            case "/": out += "~1"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// Of members that pass in one direction only, a message of the other lacks them rightly (OpenAPI).
    private mutating func soften(_ index: Int, _ fields: [Document.Field]) {
        for property in fields.first(where: { $0.key == "properties" })?.value.map ?? [] {
            for word in ["readOnly", "writeOnly"] where property.value[word]?.scalar?.bool == true {
                nodes[index].softlyRequired.insert(property.key)
            }
        }
    }

    // MARK: References

    mutating func refer(_ value: Document, from index: Int) {
        guard let text = value.scalar?.text, value.scalar?.isNull != true else {
            return fail(value.mark, "$ref needs a text", "found \(value.found), expected such as \"#/$defs/NAME\"")
        }
        guard elsewhere == 0, text == "#" || text.hasPrefix("#/") else {
            nodes[index].isOpenFor = .all
            nodes[index].areMembersKnown = false
            if elsewhere > 0 { return }
            return warn(
                value.mark, "$ref \"\(text)\" leads out of the file and is ignored; what it forbids is not judged",
                "write #/$defs/NAME, with the schema below $defs")
        }
        references.append((index, Self.decoded(String(text.dropFirst())), value.mark))
    }

    /// `%25` and the like, as they stand in a fragment.
    private static func decoded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func target(_ pointer: String, _ mark: Mark) -> Int? {
        if let known = places[pointer] { return known }
        var document = root
        for piece in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let key = Self.unescaped(piece)
            if let next = document[key] {
                document = next
            } else if let items = document.list, let place = Int(key), items.indices.contains(place) {
                document = items[place]
            } else {
                let near = Nearest.word(to: key, among: document.map?.map(\.key) ?? [])
                fail(mark, "$ref \"#\(pointer)\" leads nowhere", near.map { "nearest: \($0)" } ?? "declare it below $defs")
                return nil
            }
        }
        return schema(document, pointer)
    }

    private static func unescaped(_ piece: Substring) -> String {
        var out = ""
        var rest = piece.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "~", let next = rest.first, next == "0" || next == "1" {
                out += next == "0" ? "~" : "/"
                rest = rest.dropFirst()
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// What leads back to itself without going into the value says nothing, and would be asked for ever.
    private mutating func checkCircles() {
        enum Colour { case white, grey, black }
        var colours = Array(repeating: Colour.white, count: nodes.count)
        for start in nodes.indices where colours[start] == .white {
            var path: [(node: Int, rest: [Int])] = [(start, nodes[start].inPlace)]
            colours[start] = .grey
            while let last = path.indices.last {
                guard let next = path[last].rest.popLast() else {
                    colours[path[last].node] = .black
                    path.removeLast()
                    continue
                }
                switch colours[next] {
                case .black: continue
                case .grey:
                    fail(
                        marks[path[last].node], "this schema leads back to itself without going into the value",
                        "let a $ref in properties or items close the circle")
                case .white:
                    colours[next] = .grey
                    path.append((next, nodes[next].inPlace))
                }
            }
        }
    }
}
