/// What the values of an identifier look like (contract.md, `identity.ids.N.form`): a glob, or `re:` and an expression
/// whose named groups must have one value within a message wherever they occur.
package struct IdentifierForm: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case glob(Glob)
        case regex(LinearRegex)
    }
    /// As written.
    package let text: String
    package let kind: Kind

    package init(_ text: String) throws(PartError) {
        self.text = text
        kind = text.hasPrefix("re:") ? .regex(try LinearRegex(String(text.dropFirst(3)))) : .glob(Glob(text))
    }

    /// Names of its groups, in order.
    package var groups: [String] { if case .regex(let regex) = kind { regex.groups } else { [] } }

    /// As `match`, where it costs no more than a look at each byte of the value; nil = it would cost more.
    package func quickMatch(_ value: String) -> LinearRegex.Match?? {
        switch kind {
        case .glob: nil
        case .regex(let regex): regex.quickMatch(value)
        }
    }

    package func matches(_ value: String) -> Bool {
        switch kind {
        case .glob(let glob): glob.matches(value)
        case .regex(let regex): regex.decides(value) ?? true
        }
    }

    /// The values of its groups; nil when the form does not fit. Of a value that takes too much work none.
    package func match(_ value: String) -> LinearRegex.Match? {
        switch kind {
        case .glob(let glob): glob.matches(value) ? LinearRegex.Match(values: []) : nil
        case .regex(let regex):
            switch regex.attempt(value) {
            case (nil, false): LinearRegex.Match(values: [])
            case (let match, _): match
            }
        }
    }
}
