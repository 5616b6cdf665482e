/// One element of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1): a name and parameters, in order.
package struct ExtensionItem: Sendable, Hashable {
    package struct Parameter: Sendable, Hashable {
        package var name: String
        package var value: String?
        package init(_ name: String, _ value: String? = nil) {
            self.name = name
            self.value = value
        }
    }
    package var name: String
    package var parameters: [Parameter]
    package init(_ name: String, _ parameters: [Parameter] = []) {
        self.name = name
        self.parameters = parameters
    }

    package var text: String {
        parameters.reduce(name) { $0 + "; " + $1.name + ($1.value.map { "=" + $0 } ?? "") }
    }

    /// The elements of one field value, nil when it does not follow the grammar.
    package static func parse(_ value: String) -> [ExtensionItem]? {
        let bytes = Array(value.utf8)
        var out: [ExtensionItem] = []
        for element in HeadSplit.pieces(bytes, separator: UInt8(ascii: ","), quotes: true) where !element.isEmpty {
            let inside = Array(bytes[element])
            let pieces = HeadSplit.pieces(inside, separator: UInt8(ascii: ";"), quotes: true).map { Array(inside[$0]) }
            guard let name = pieces.first.flatMap(token) else { return nil }
            var item = ExtensionItem(name)
            for piece in pieces.dropFirst() {
                guard let parameter = parameter(piece) else { return nil }
                item.parameters.append(parameter)
            }
            out.append(item)
        }
        return out
    }

    private static func token(_ bytes: [UInt8]) -> String? {
        guard !bytes.isEmpty, bytes.allSatisfy(ASCII.isToken) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func parameter(_ bytes: [UInt8]) -> Parameter? {
        guard let mark = bytes.firstIndex(of: UInt8(ascii: "=")) else { return token(bytes).map { Parameter($0) } }
        var name = Array(bytes[..<mark])
        var value = Array(bytes[(mark + 1)...].drop(while: ASCII.isSpace))
        while let last = name.last, ASCII.isSpace(last) { name.removeLast() }
        if value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") {
            value = value.dropFirst().dropLast().filter { $0 != UInt8(ascii: "\\") }
        }
        guard let name = token(name), let value = token(value) else { return nil }
        return Parameter(name, value)
    }
}
