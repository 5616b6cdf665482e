package import Journaling
package import Wire

extension Document {
    /// A document from JSON, so that a contract or pattern can be read where there is no YAML reader:
    /// `var reader = ContractReader(Document(try JSON.parse(text), file: "agent-chat.json")); reader.read()`.
    package init(_ json: JSON, file: String = "") {
        let mark = Mark(file: file, line: 0, column: 0)
        switch json {
        case .null: self.init(.scalar(.init(text: "null", isPlain: true)), mark: mark)
        case .bool(let value): self.init(.scalar(.init(text: value ? "true" : "false", isPlain: true)), mark: mark)
        case .number(let text): self.init(.scalar(.init(text: text, isPlain: true)), mark: mark)
        case .string(let text): self.init(.scalar(.init(text: text, isPlain: false)), mark: mark)
        case .array(let items): self.init(.list(items.map { Document($0, file: file) }), mark: mark)
        case .object(let members):
            self.init(
                .map(members.map { Field(key: $0.key, mark: mark, value: Document($0.value, file: file)) }), mark: mark)
        }
    }
}
