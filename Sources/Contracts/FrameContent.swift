package import NIOCore
package import Wire

/// How many messages a frame holds (contract.md, `wire.split` and `wire.batch`).
package enum FrameContent: Sendable {
    case one
    /// The bytes of each, in order; none at all where nothing but an empty last piece stands.
    case several([ByteBuffer])
    /// More than anybody looks at: they may be anything.
    case tooMany
}

extension Recognizer {
    /// Most messages of one frame that are looked at.
    package static let mostMessages = 4_096

    /// What stands in one text or binary message of the protocol.
    package func content(of payload: ByteBuffer, opcode: Opcode) -> FrameContent {
        guard wire.split != nil || wire.batch else { return .one }
        if opcode == .binary, wire.format == .raw || wire.binary != .decode { return .one }
        guard let separator = wire.split.map({ Array($0.utf8) }), !separator.isEmpty else {
            return wire.batch ? Self.elements(of: payload) : .one
        }
        guard let pieces = Self.split(payload, by: separator) else { return .tooMany }
        guard wire.batch else { return .several(pieces) }
        var messages: [ByteBuffer] = []
        for piece in pieces {
            switch Self.elements(of: piece) {
            case .one: messages.append(piece)
            case .several(let elements): messages += elements
            case .tooMany: return .tooMany
            }
            if messages.count > Self.mostMessages { return .tooMany }
        }
        return .several(messages)
    }

    /// Every message of a frame, as it is read.
    package func recogniseAll(_ payload: ByteBuffer, opcode: Opcode, direction: Direction) -> [Recognition] {
        switch content(of: payload, opcode: opcode) {
        case .one: [recognise(payload, opcode: opcode, direction: direction)]
        case .several(let pieces): pieces.map { recognise($0, opcode: opcode, direction: direction) }
        case .tooMany: [Recognition(outcome: .unreadable("more than \(Self.mostMessages) messages stand in one frame"))]
        }
    }

    /// What a step of a flow sends: a text is a frame as it is written, anything else a message.
    package func recognise(sent template: JSON) -> [Recognition] {
        if case .string(let text) = template, wire.format == .json || wire.envelope != nil {
            return recogniseAll(ByteBuffer(string: text), opcode: .text, direction: .toServer)
        }
        if wire.batch, case .array(let messages) = template, !messages.isEmpty {
            return messages.map { recognise($0, direction: .toServer) }
        }
        return [recognise(template, direction: .toServer)]
    }

    /// Nil when there are too many. An empty last piece is none.
    private static func split(_ payload: ByteBuffer, by separator: [UInt8]) -> [ByteBuffer]? {
        let bytes = payload.readableBytesView
        var pieces: [ByteBuffer] = []
        var start = bytes.startIndex
        var index = bytes.startIndex
        while index < bytes.endIndex {
            guard bytes[index] == separator[0], bytes[index...].starts(with: separator) else {
                index += 1
                continue
            }
            guard pieces.count < mostMessages, let piece = payload.getSlice(at: start, length: index - start) else { return nil }
            pieces.append(piece)
            index += separator.count
            start = index
        }
        guard start < bytes.endIndex else { return pieces }
        guard pieces.count < mostMessages, let last = payload.getSlice(at: start, length: bytes.endIndex - start) else { return nil }
        pieces.append(last)
        return pieces
    }

    /// The elements of a top-level array. One that is empty, or that breaks off, is a message itself.
    private static func elements(of payload: ByteBuffer) -> FrameContent {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let text = payload.readableBytesView.starts(with: mark) ? payload.readableBytesView.dropFirst(3) : payload.readableBytesView
        let start = text.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
        guard start == UInt8(ascii: "[") else { return .one }
        let document = JSONDocument(payload)
        guard document.problem == nil, let root = document.root, document.nodes.indices.contains(root),
            document.nodes[root].kind == .array, !document.nodes[root].children.isEmpty
        else { return .one }
        let children = document.nodes[root].children
        guard children.count <= mostMessages else { return .tooMany }
        var elements: [ByteBuffer] = []
        for child in children {
            let range = document.nodes[child].range
            guard let element = payload.getSlice(at: payload.readerIndex + range.lowerBound, length: range.count) else { return .one }
            elements.append(element)
        }
        return .several(elements)
    }
}
