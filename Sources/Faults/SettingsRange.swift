import Journaling
import NIOCore
import Wire

/// Settings that must lie between bounds, or be read as bytes: told like any other setting that cannot be read.
extension SettingsReader {
    func duration(_ name: String, most: Duration) throws(SettingsError) -> Duration? {
        guard let value = duration(name) else { return nil }
        guard value <= most else {
            let seconds = most.components.seconds
            throw SettingsError(
                parameter: name, needs: "a duration", expected: "at most \(seconds)s", found: text(name) ?? "")
        }
        return value
    }

    /// A payload: the text itself, or bytes written as hexadecimal digits where `form` says so.
    func payload(_ name: String, form: String) throws(SettingsError) -> ByteBuffer {
        let text = text(name) ?? ""
        guard self.text(form) == "hex" else { return ByteBuffer(string: text) }
        let digits = text.utf8.filter { $0 != 0x20 }
        let bytes = stride(from: 0, to: digits.count - digits.count % 2, by: 2).compactMap { place in
            UInt8(String(decoding: digits[place...(place + 1)], as: UTF8.self), radix: 16)
        }
        // `+` and `-` are no digits, though `UInt8` would take one in front.
        let isHex = digits.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66) }
        guard isHex, bytes.count * 2 == digits.count else {
            throw SettingsError(
                parameter: name, needs: "a payload", expected: "an even number of hexadecimal digits", found: "\"\(text)\"")
        }
        return ByteBuffer(bytes: bytes)
    }
}
