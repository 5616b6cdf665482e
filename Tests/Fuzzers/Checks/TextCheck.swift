import NIOCore
import Wire

/// UTF-8 is what the standard library takes for it, wherever it is cut; a mask undoes itself, wherever it begins.
struct TextCheck {
    private var choices: Choices
    private let cut: (UInt8, UInt8)

    init(_ bytes: [UInt8]) {
        choices = Choices(bytes)
        cut = (choices.next(), choices.next())
    }

    func run() throws(Broken) {
        let bytes = choices.rest
        let isText = String(validating: bytes, as: UTF8.self) != nil
        try demand(UTF8Validator.isValid(ByteBuffer(bytes: bytes)) == isText, "UTF-8: \(isText), the validator says no such thing")
        var refused: [Int?] = []
        for way in choices.cuts(cut.0, cut.1) {
            var validator = UTF8Validator()
            var place: Int?
            for piece in way where place == nil {
                place = validator.feed(ByteBuffer(bytes: piece)).map { piece.startIndex - way[0].startIndex + $0 }
            }
            refused.append(place)
            try demand((place == nil && validator.isComplete) == isText, "in pieces it is another answer")
        }
        try demand(refused.allSatisfy { $0 == refused[0] }, "the byte that is refused depends on the cut: \(refused)")
        if let place = refused[0] {
            var validator = UTF8Validator()
            try demand(validator.feed(ByteBuffer(bytes: bytes[..<place])) == nil, "a byte before the refused one is refused")
        }
        try masks(bytes)
    }

    private func masks(_ bytes: [UInt8]) throws(Broken) {
        let key = UInt32(cut.0) << 24 | UInt32(cut.1) << 16 | UInt32(bytes.first ?? 0) << 8 | UInt32(bytes.last ?? 0)
        let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: key >> UInt32($0)) }
        let want = bytes.enumerated().map { $0.element ^ octets[$0.offset % 4] }
        for way in choices.cuts(cut.1, cut.0) {
            var got: [UInt8] = []
            for piece in way {
                var buffer = ByteBuffer(bytes: piece)
                Mask.apply(key, to: &buffer, offset: got.count)
                got += Array(buffer.readableBytesView)
            }
            try demand(got == want, "masked in pieces it is something else")
        }
    }
}
