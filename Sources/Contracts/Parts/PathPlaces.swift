package import Wire

/// Where a value stands in a message: members and elements to walk down from the top.
package struct JSONPlace: Sendable, Hashable {
    package enum Step: Sendable, Hashable {
        case key(String)
        case index(Int)
    }
    package var steps: [Step]
    package init(_ steps: [Step] = []) { self.steps = steps }

    package func contains(_ other: JSONPlace) -> Bool { other.steps.starts(with: steps) }
    /// The member of the message in which it stands; nil at the top and in a top-level array.
    package var member: String? { if case .key(let name)? = steps.first { name } else { nil } }
    /// The name nearest to the value.
    package var lastName: String? {
        for case .key(let name) in steps.reversed() { return name }
        return nil
    }
    /// `calls[].id`: the same for all elements of a list.
    package var general: String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let name): text += (text.isEmpty ? "" : ".") + name
            case .index: text += "[]"
            }
        }
        return text
    }

    private func below(_ step: Step) -> JSONPlace { JSONPlace(steps + [step]) }

    /// Members and elements in document order; of members with one name the last, as reading takes it.
    package static func children(of value: JSON, at place: JSONPlace) -> [(place: JSONPlace, value: JSON)] {
        switch value {
        case .array(let elements): return elements.enumerated().map { (place.below(.index($0)), $1) }
        case .object(let members):
            var last: [String: Int] = [:]
            for (index, member) in members.enumerated() { last[member.key] = index }
            return members.enumerated().filter { last[$1.key] == $0 }.map { (place.below(.key($1.key)), $1.value) }
        default: return []
        }
    }

    /// All scalars and empty containers with their places, in document order.
    package static func leaves(of message: JSON) -> [(place: JSONPlace, value: JSON)] {
        var found: [(JSONPlace, JSON)] = []
        var stack = [(JSONPlace(), message)]
        while let (place, value) = stack.popLast() {
            let children = children(of: value, at: place)
            if children.isEmpty { found.append((place, value)) } else { stack += children.reversed() }
        }
        return found
    }
}

extension Path {
    /// The places of what it yields, nulls left out. A filter ends the walk: the place is that of the text it reads.
    package func places(in message: JSON) -> [JSONPlace] {
        var found: [JSONPlace] = []
        for steps in parts {
            var current = [(JSONPlace(), message)]
            for step in steps {
                if case .filter = step { break }
                current = current.flatMap { Self.step(step, $0.0, $0.1) }
                if current.isEmpty { break }
            }
            found += current.filter { $0.1 != .null }.map(\.0)
        }
        return found
    }

    private static func step(_ step: Step, _ place: JSONPlace, _ value: JSON) -> [(JSONPlace, JSON)] {
        switch step {
        case .key(let name):
            return value[name].map { [(JSONPlace(place.steps + [.key(name)]), $0)] } ?? []
        case .index(let index):
            guard case .array(let elements) = value else { return [] }
            let (position, overflow) = index < 0 ? elements.count.addingReportingOverflow(index) : (index, false)
            guard !overflow, elements.indices.contains(position) else { return [] }
            return [(JSONPlace(place.steps + [.index(position)]), elements[position])]
        case .each: return JSONPlace.children(of: value, at: place).map { ($0.place, $0.value) }
        case .deep(let name): return deep(name, place, value)
        case .filter: return []
        }
    }

    private static func deep(_ name: String, _ place: JSONPlace, _ value: JSON) -> [(JSONPlace, JSON)] {
        var found: [(JSONPlace, JSON)] = []
        var stack = [(place, value)]
        while let (place, value) = stack.popLast() {
            let children = JSONPlace.children(of: value, at: place)
            for child in children where child.place.steps.last == .key(name) { found.append((child.place, child.value)) }
            stack += children.reversed().map { ($0.place, $0.value) }
        }
        return found
    }
}

extension [Path] {
    /// The place of the first path that yields a value.
    package func place(in message: JSON) -> JSONPlace? {
        for path in self {
            if let place = path.places(in: message).first { return place }
        }
        return nil
    }
}
