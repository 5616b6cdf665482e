import Faults
import Reporting

/// The table of `miswire faults`, made from the registry alone.
enum FaultCatalogue {
    static func table(_ style: Style) -> String {
        var lines = ["  " + "kind".left(16) + "tap".left(22) + "what it does"]
        for fault in FaultRegistry.all {
            lines.append("  " + style.paint(fault.name.left(16), .name) + taps(fault).left(22) + fault.summary)
        }
        lines.append("  `miswire faults KIND` shows settings, defaults and what it may excuse.")
        return lines.joined(separator: "\n") + "\n"
    }

    static func settings(of kind: String, _ style: Style) -> String? {
        guard let fault = FaultRegistry.all.first(where: { $0.name == kind }) else { return nil }
        var lines = ["\(style.paint(fault.name, .name)): \(fault.summary)", "  acts at " + taps(fault)]
        for parameter in fault.parameters {
            let value = parameter.default.map { "default \($0)" } ?? "required"
            lines.append("  " + parameter.name.left(12) + words(parameter.unit).left(34) + value.left(22) + parameter.doc)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func taps(_ fault: any Fault.Type) -> String {
        var taps: [String] = []
        for kind in fault.acts {
            let tap =
                switch kind {
                case .accept: "Cin"
                case .requestHead, .messageToServer: "Sout"
                case .responseHead, .messageToClient: "Cout"
                }
            if !taps.contains(tap) { taps.append(tap) }
        }
        return taps.joined(separator: ", ")
    }

    private static func words(_ unit: Parameter.Unit) -> String {
        switch unit {
        case .duration: "a duration such as 250ms"
        case .bytes: "a size such as 64KiB"
        case .share: "a share such as 5%"
        case .count: "a number"
        case .text: "a text"
        case .choice(let words): words.joined(separator: " | ")
        case .choices(let words): "any of " + words.joined(separator: " ")
        case .names: "a list of names"
        }
    }
}
