import NIOCore
import Testing

@testable import Wire

@Suite struct UTF8Tests {
    @Test func vectors() throws {
        let table = try Vectors.table("utf8.txt")
        #expect(table.count > 35)
        for row in table {
            let bytes = Vectors.hex(row[0])
            for reads in everyCut(bytes) {
                var check = UTF8Validator()
                var refused: Int?
                var base = 0
                for read in reads where refused == nil {
                    refused = check.feed(read).map { $0 + base }
                    base += read.readableBytes
                }
                let said = refused.map { "invalid at \($0)" } ?? (check.isComplete ? "valid" : "incomplete")
                #expect(said == row[1], "\(row[0])")
            }
            #expect(UTF8Validator.isValid(bytes) == (row[1] == "valid"))
        }
    }

    @Test func agreesWithTheStandardLibrary() {
        var generator = SeededGenerator(4)
        let seeds = [
            ByteBuffer(string: "grüße, κόσμε, 😀 and plain text behind it"),
            ByteBuffer(string: "ascii only, long enough"),
        ]
        for round in 0..<3000 {
            let bytes = generator.mutated(seeds[round % 2])
            #expect(UTF8Validator.isValid(bytes) == (String(validating: bytes.readableBytesView, as: UTF8.self) != nil))
        }
    }
}
