package import struct NIOCore.ByteBuffer

extension JSON {
    /// Compact text: order and duplicate keys kept, numbers as they were written.
    package var text: String { String(decoding: written(canonical: false), as: UTF8.self) }

    /// One text for equal values: keys sorted by their bytes (the last of equal keys kept), numbers by value.
    package var canonical: String { String(decoding: written(canonical: true), as: UTF8.self) }

    /// The same value as it comes back from a program that keeps numbers as IEEE doubles, as most do: 1e-400 is 0, and
    /// what is too large for one is `null` (some write `Infinity`, which no JSON has). Goes as deep as the value: the parser
    /// allows 128 levels.
    package var rounded: JSON {
        switch self {
        case .number(let text):
            let rounded = JSONNumber.rounded(text)
            return JSONNumber(rounded) == nil ? .null : .number(rounded)
        case .array(let items): return .array(items.map(\.rounded))
        case .object(let members):
            var members = members
            for index in members.indices { members[index].value = members[index].value.rounded }
            return .object(members)
        default: return self
        }
    }

    /// The compact text as bytes.
    package var buffer: ByteBuffer { ByteBuffer(bytes: written(canonical: false)) }

    private enum Step {
        case value(JSON)
        case key(String)
        case byte(UInt8)
    }

    private func written(canonical: Bool) -> [UInt8] {
        var out: [UInt8] = []
        var steps = [Step.value(self)]
        while let step = steps.popLast() {
            switch step {
            case .byte(let byte): out.append(byte)
            case .key(let key):
                JSONText.encode(key, into: &out)
                out.append(UInt8(ascii: ":"))
            case .value(.null): out.append(contentsOf: "null".utf8)
            case .value(.bool(let value)): out.append(contentsOf: (value ? "true" : "false").utf8)
            case .value(.number(let text)):
                out.append(contentsOf: (canonical ? JSONNumber(text)?.canonical ?? text : text).utf8)
            case .value(.string(let text)): JSONText.encode(text, into: &out)
            case .value(.array(let elements)):
                out.append(UInt8(ascii: "["))
                steps.append(.byte(UInt8(ascii: "]")))
                for index in elements.indices.reversed() {
                    steps.append(.value(elements[index]))
                    if index > 0 { steps.append(.byte(UInt8(ascii: ","))) }
                }
            case .value(.object(let members)):
                let members = canonical ? Self.sorted(members) : members
                out.append(UInt8(ascii: "{"))
                steps.append(.byte(UInt8(ascii: "}")))
                for index in members.indices.reversed() {
                    steps.append(.value(members[index].value))
                    steps.append(.key(members[index].key))
                    if index > 0 { steps.append(.byte(UInt8(ascii: ","))) }
                }
            }
        }
        return out
    }

    private static func sorted(_ members: [Member]) -> [Member] {
        let order = members.indices.sorted { left, right in
            let a = members[left].key.utf8
            let b = members[right].key.utf8
            return a.elementsEqual(b) ? left < right : a.lexicographicallyPrecedes(b)
        }
        return order.indices.compactMap { place in
            let next = place + 1
            if next < order.count, members[order[place]].key.utf8.elementsEqual(members[order[next]].key.utf8) {
                return nil
            }
            return members[order[place]]
        }
    }
}
