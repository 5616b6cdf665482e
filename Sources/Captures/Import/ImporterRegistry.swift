package import NIOCore

/// All kinds of files that can be imported, in the order in which they are asked.
package enum ImporterRegistry {
    package static let all: [any Importer.Type] = [
        PcapImporter.self, FlowImporter.self, HARImporter.self, NDJSONImporter.self, RawCorpusImporter.self,
    ]

    /// Bytes of a file's beginning that are shown to importers.
    package static let headBytes = 64 << 10

    package static func named(_ name: String) -> (any Importer.Type)? { all.first { $0.name == name } }

    /// The first that takes a file which begins like this.
    package static func importer(for head: ByteBuffer, name: String) -> (any Importer.Type)? {
        all.first { $0.recognizes(head, name: name) }
    }
}
