import Faults
import Reporting

/// The tables of `miswire faults`, made from the registry alone.
enum FaultCatalogue {
    static var all: [any Fault.Type] { FaultRegistry.all.sorted { rank($0) < rank($1) } }
    static var groups: [String] {
        FaultGroup.allCases.filter { group in FaultRegistry.all.contains { $0.group == group } }.map(\.rawValue)
    }
    private static func rank(_ fault: any Fault.Type) -> Int { FaultGroup.allCases.firstIndex(of: fault.group) ?? 0 }

    /// - Parameter group: a heading of the catalogue, such as `message`; nil = all.
    static func table(_ group: String?, _ style: Style) -> String {
        var table = Columns([.init(14), .init(12), .init(42)])
        table.add("kind", "tap", "what it does", "may excuse")
        let shown = all.filter { group == nil || $0.group.rawValue == group }
        for fault in shown { table.add(fault.name, taps(fault), fault.summary, fault.excuse) }
        let example = shown.last { $0.name == "drop" }?.name ?? shown.first?.name ?? "KIND"
        return table.text(style) + "  `miswire faults \(example)` shows settings, defaults and an example.\n"
    }

    static func settings(of fault: any Fault.Type, _ style: Style) -> String {
        var text = "\(style.paint(fault.name, .name)): \(fault.summary)\n"
        text += "  acts at     \(taps(fault))\n  may excuse  \(fault.excuse)\n"
        if fault.parameters.isEmpty {
            text += "  no settings\n"
        } else {
            var table = Columns([.init(12), .init(26, most: 36), .init(12, most: 24)])
            table.add("setting", "value", "default", "what it does")
            for parameter in fault.parameters {
                table.add(parameter.name, words(parameter.unit), parameter.default ?? (parameter.required ? "required" : "–"), parameter.doc)
            }
            text += "\n" + table.text(style)
        }
        return text + "\n  example     in a profile, under `faults:`\n" + example(fault).map { "    " + $0 + "\n" }.joined()
    }

    /// A rule that reads as it stands.
    static func example(_ fault: any Fault.Type) -> [String] {
        var lines = ["- id: f1", "  fault: \(fault.name)"]
        for parameter in fault.parameters {
            if let value = parameter.default {
                if case .choices = parameter.unit { lines.append("  \(parameter.name): [\(value.replacingSpaces)]") } else {
                    lines.append("  \(parameter.name): \(value)")
                }
            } else if case .choices(let words) = parameter.unit {
                lines.append("  \(parameter.name): [\(words.first ?? "")]")
            }
        }
        return lines
    }

    static func taps(_ fault: any Fault.Type) -> String {
        var taps: [String] = []
        for kind in fault.acts where !taps.contains(kind.tap.rawValue) { taps.append(kind.tap.rawValue) }
        return taps.joined(separator: ", ")
    }

    static func words(_ unit: Parameter.Unit) -> String {
        switch unit {
        case .duration: "a duration such as 250ms"
        case .bytes: "a size such as 64KiB"
        case .rate: "a rate such as 64KiB/s"
        case .share: "a share such as 5%"
        case .count: "a number"
        case .text: "a text"
        case .choice(let words): words.joined(separator: " | ")
        case .choices(let words): "any of " + words.joined(separator: " ")
        case .names: "a list of names"
        }
    }
}

extension String {
    /// `header cookie` as the items of a YAML list.
    fileprivate var replacingSpaces: String { split(separator: " ").joined(separator: ", ") }
}
