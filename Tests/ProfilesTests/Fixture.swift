import Foundation

/// Everything in a value, sets in order.
func written(_ value: Any) -> String {
    let mirror = Mirror(reflecting: value)
    if mirror.children.isEmpty { return "\(value)" }
    var parts = mirror.children.map { ($0.label ?? "") + ":" + written($0.value) }
    if mirror.displayStyle == .set { parts.sort() }
    return "(" + parts.joined(separator: ",") + ")"
}

/// A directory that is gone when the test is over.
final class Directory {
    private let root: String

    init() throws {
        root = NSTemporaryDirectory() + "miswire-contracts-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func path(_ name: String) -> String { root + "/" + name }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }
}
