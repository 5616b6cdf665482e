import Journaling
import Wire

/// The rows of one entry, read from the file one at a time.
struct HARRows {
    /// What is wrong with the rows as a whole, known behind the last one.
    private(set) var remarks: [String] = []

    private enum Place {
        case array(JSONStream, isFirst: Bool)
        case lines(FileWindow, UInt64)
        case nowhere
    }
    private var place = Place.nowhere
    private var number = 0
    private let most: Int
    private let isRawUnlessMarked: Bool

    init(_ entry: HAREntry, _ context: HARContext) throws(ImportError) {
        most = context.limits.importLineBytes
        isRawUnlessMarked = context.isRawUnlessMarked
        switch entry.messages {
        case .none: break
        case .embedded(let offset):
            var stream = JSONStream(context.file, from: offset, chunk: context.chunk)
            if try HARRows.value({ () throws(JSONStream.Fault) in try stream.enterArray() }) == true {
                place = .array(stream, isFirst: true)
            }
        case .attached(let name):
            guard HARRows.isOurs(name) else {
                remarks.append("its messages are in \(HARRow.excerpt(name)), which is no file beside the HAR; it is not opened")
                return
            }
            let directory = Directory.parent(of: context.path) ?? "."
            do throws(ImportError) {
                place = .lines(FileWindow(try SourceFile(name, beside: directory), chunk: context.chunk), 0)
            } catch {
                remarks.append("its messages are in \(name), which cannot be read: \(error.found ?? error.sentence)")
            }
        }
    }

    /// No name from a file becomes a path, unless it is one plain name beside it (trust.md T31).
    static func isOurs(_ name: String) -> Bool {
        guard (1...128).contains(name.utf8.count), name.utf8.first != UInt8(ascii: ".") else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
    }

    /// The next row and its number from 1; nil behind the last one that can be read.
    mutating func next() throws(ImportError) -> (number: Int, row: HARRow)? {
        guard let value = try nextValue() else { return nil }
        number += 1
        return (number, row(value))
    }

    private func row(_ value: JSONStream.Value) -> HARRow {
        switch value {
        case .json(let json): HARRow(json, isRawUnlessMarked: isRawUnlessMarked)
        case .tooLong: HARRow(remark: "it takes more than \(most >> 20) MiB (limit L15)")
        case .malformed(let error, let start): HARRow(remark: "wrong JSON at byte \(start + 1): \(error.reason)")
        }
    }

    private mutating func nextValue() throws(ImportError) -> JSONStream.Value? {
        switch place {
        case .nowhere: return nil
        case .array(var stream, var isFirst):
            let most = most
            let value = try HARRows.value { () throws(JSONStream.Fault) -> JSONStream.Value? in
                try stream.nextElement(&isFirst) ? try stream.value(most: most) : nil
            }
            place = .array(stream, isFirst: isFirst)
            // What breaks the array breaks the file, and is told for the file.
            guard let value = value ?? nil else {
                place = .nowhere
                return nil
            }
            return value
        case .lines(var window, var offset):
            let value = try line(&window, &offset)
            place = value == nil ? .nowhere : .lines(window, offset)
            return value
        }
    }

    /// Nil for a place where the file is no JSON.
    private static func value<Value>(
        _ body: () throws(JSONStream.Fault) -> Value
    ) throws(ImportError) -> Value? {
        do throws(JSONStream.Fault) { return try body() } catch {
            if case .file(let failure) = error { throw failure }
            return nil
        }
    }

    /// The next line that is not empty.
    private func line(_ window: inout FileWindow, _ offset: inout UInt64) throws(ImportError) -> JSONStream.Value? {
        while true {
            let start = offset
            var end = start
            while let byte = try window.byte(at: end), byte != 0x0a { end += 1 }
            guard end > start || end < window.size else { return nil }
            offset = end + 1
            if end == start { continue }
            guard end - start <= UInt64(most) else { return .tooLong }
            switch JSON.decode(String(decoding: try window.bytes(start..<end), as: UTF8.self)) {
            case .value(let json, _): return .json(json)
            case .malformed(let error): return .malformed(error, at: start)
            }
        }
    }
}

extension HARRow {
    init(remark: String) {
        time = nil
        content = .remark(remark)
    }
}
