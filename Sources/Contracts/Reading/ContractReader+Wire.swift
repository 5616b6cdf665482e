import Journaling

extension ContractReader {
    mutating func readWire(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .wire)
        contract.wire.paths = texts(fields["paths"], "wire.paths").map { Glob($0) }
        contract.wire.subprotocols = texts(fields["subprotocols"], "wire.subprotocols")
        contract.wire.type = path(fields["type"], "wire.type")
        if let word = choice(fields["format"], "wire.format", ["json", "raw"]) {
            contract.wire.format = WireRules.Format(rawValue: word) ?? .json
        }
        if let word = choice(fields["binary"], "wire.binary", ["ignore", "reject", "decode"]) {
            contract.wire.binary = WireRules.Binary(rawValue: word) ?? .ignore
        }
        contract.wire.split = separator(fields["split"])
        contract.wire.batch = flag(fields["batch"], "wire.batch") ?? false
        contract.wire.serial = flag(fields["serial"], "wire.serial") ?? false
        contract.wire.envelope = expression(fields["envelope"], "wire.envelope")
        contract.wire.unknownFails = choice(fields["unknown"], "wire.unknown", ["fail", "note"]).map { $0 == "fail" }
        checkWire(fields)
    }

    private mutating func separator(_ document: Document?) -> String? {
        guard let text = text(document, "wire.split"), let document else { return nil }
        if text == "\\n" || text == "\\r\\n" || text.hasPrefix("\\x") || text.hasPrefix("\\u") {
            // Unquoted or in single quotes YAML leaves it as it is, and no message has a backslash between its pieces.
            fail(document.mark, "wire.split is \"\(text)\" letter by letter", remedy: "write \"\(text)\" in double quotes")
            return nil
        }
        return text
    }

    /// A regular expression, with or without `re:` in front.
    private mutating func expression(_ document: Document?, _ place: String) -> LinearRegex? {
        guard let text = text(document, place), let document else { return nil }
        do throws(PartError) {
            let regex = try LinearRegex(text.hasPrefix("re:") ? String(text.dropFirst(3)) : text)
            if regex.groups.isEmpty {
                fail(document.mark, "\(place) has no named group", remedy: "its groups become the fields: write (?<name>…)")
            }
            return regex
        } catch {
            fail(document.mark, error)
            return nil
        }
    }

    private mutating func checkWire(_ fields: [String: Document]) {
        let isRaw = contract.wire.format == .raw
        if isRaw, contract.wire.envelope == nil, contract.wire.type != nil, let mark = fields["type"]?.mark {
            fail(mark, "wire.type needs format: json", remedy: "raw messages have no fields; recognise them by match")
        }
        if isRaw, contract.wire.batch, let mark = fields["batch"]?.mark {
            fail(mark, "wire.batch needs format: json", remedy: "leave it out; wire.split parts raw messages")
        }
        if isRaw, let mark = fields["binary"]?.mark {
            fail(mark, "wire.binary needs format: json", remedy: "leave it out; raw messages may be binary, as hex")
        }
        if let envelope = contract.wire.envelope, let type = contract.wire.type, let mark = fields["type"]?.mark,
            let name = type.lastNames.first, type.keys?.count == 1, !envelope.groups.contains(name)
        {
            fail(
                mark, "wire.type \"\(type.text)\" is no group of wire.envelope",
                remedy: Nearest.remedy(for: name, among: envelope.groups))
        }
    }
}
