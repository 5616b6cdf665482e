import Journaling
import Plans

package struct HeaderSize: OddHeaders {
    package static let name = "header-size"
    package static let summary = "One field of up to 16 KiB, or several that add up to more."
    package init() {}

    /// A field with its name stays under the 16 KiB that our own proxy takes.
    private static let longest = 16_384 - 32

    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]? {
        let ladder = [256, 1000, 1024, 4000, 4096, 8000, 8150, 8192, 12_000, Self.longest]
        let size = dice.pick(ladder) ?? 4096
        let name = dice.pick(["X-Long", "Cookie2", "User-Agent", "Referer"]) ?? "X-Long"
        let value = String(repeating: dice.pick(["a", "%41", "=;", "é"]) ?? "a", count: size)
        let cut = Plan.Header(name, String(decoding: value.utf8.prefix(size - size % 6), as: UTF8.self))
        let several = dice.chance(0.25) ? min(3, 40_000 / size) : 1
        return Array(repeating: cut, count: max(1, several))
    }
}
