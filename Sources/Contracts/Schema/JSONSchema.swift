package import Journaling
package import Wire

/// The subset of JSON Schema (2020-12) that contracts use to say what a message is: `type enum const required properties
/// additionalProperties items prefixItems min/maxItems min/maxLength pattern minimum maximum exclusiveMinimum/Maximum oneOf
/// anyOf allOf not $ref $defs`. Whatever else stands in a schema is ignored, and leaves the answer open where it could have
/// spoken: what is ignored can never make a message wrong.
package struct JSONSchema: Sendable {
    /// What a value is to a schema.
    package enum Answer: Sendable, Hashable {
        case valid
        case invalid(ShapeViolation)
        /// Something that is not judged here could decide: an ignored keyword, a pattern that dialects read differently, a
        /// number that is another one as an IEEE double.
        case unknown
    }

    /// How `$ref` and its siblings are read where no `$schema` says it.
    package enum Dialect: Sendable, Hashable {
        /// 2019-09 and later: keywords beside a `$ref` count.
        case modern
        /// Draft 7 and earlier, and AsyncAPI 2: keywords beside a `$ref` are ignored.
        case draft7
    }

    /// Something to say about a schema, at its place. Warnings are about what is ignored.
    package struct Problem: Error, Sendable, Hashable {
        package var severity: ConfigurationError.Severity
        package var mark: Mark
        package var error: PartError
    }

    /// Schemas refer to each other by number; the first is the outermost.
    let nodes: [SchemaNode]

    init(nodes: [SchemaNode]) { self.nodes = nodes }

    /// Reads a schema and says all that is wrong with it at once.
    /// - Parameters:
    ///   - root: what `#/…` starts from, when that is not the schema itself: the document that it was taken from.
    /// - Returns: no schema when one of the problems is an error.
    package static func reading(
        _ document: Document, root: Document? = nil, dialect: Dialect = .modern
    ) -> (schema: JSONSchema?, problems: [Problem]) {
        var compiler = SchemaCompiler(root: root ?? document, dialect: dialect)
        let nodes = compiler.compile(document, isRoot: root == nil)
        let isUsable = compiler.problems.allSatisfy { $0.severity == .warning }
        return (isUsable ? JSONSchema(nodes: nodes) : nil, compiler.problems)
    }

    /// Takes time linear in the value, whatever the schema: each part of it is held once against each part of the value, and
    /// beyond a bound the answer stays open.
    package func check(_ value: JSON) -> Answer {
        var run = SchemaRun(nodes, value)
        switch run.judge(0, 0) {
        case .valid: return .valid
        case .unknown: return .unknown
        case .invalid: return .invalid(run.explain(0, 0))
        }
    }
}
