import Contracts
import Reporting

/// Errors of a file: painted blocks, then one line that counts them (looks.md section 4).
enum ConfigurationForm {
    static func text(_ errors: ConfigurationErrors, _ style: Style) -> String {
        var lines: [String] = []
        for error in errors.errors {
            for line in error.block {
                switch line.kind {
                case .sentence:
                    lines.append(style.paint(line.text, error.severity == .error ? .fail : .fault))
                case .place, .source, .pointer: lines.append(line.text)
                }
            }
        }
        let count = errors.errors.filter { $0.severity == .error }.count
        let files = errors.errors.map(\.file).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        if count > 0 {
            let last = "\(files.map { SafeText.show($0) }.joined(separator: ", ")): \(Figures.plural(count, "error")), nothing is listening"
            lines.append(ExitReason.usage.ending(last))
        }
        return style.plainly(lines.joined(separator: "\n")) + "\n"
    }
}
