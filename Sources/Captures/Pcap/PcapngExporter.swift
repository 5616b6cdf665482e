package import Journaling

/// A capture of packets that Wireshark reads: see `PcapngExport`.
package enum PcapngExporter: Exporter {
    package static let name = "pcapng"
    package static let summary = "packets around the frames, for Wireshark"
    package static let isText = false

    package static func write(
        _ source: ExportSource, options: ExportOptions, to output: any ExportOutput
    ) throws(RecordingError) -> ExportSummary {
        var summary = ExportSummary()
        var export: PcapngExport?
        let read = try source.read(limits: options.limits) { (entry, header) throws(RecordingError) in
            var current = export ?? PcapngExport(header, program: "miswire \(header.program)")
            export = nil
            let bytes = current.add(entry)
            export = current
            if !bytes.isEmpty { try output.write(bytes) }
        }
        var last = export ?? PcapngExport(read.header, program: "miswire \(read.header.program)")
        try output.write(last.end())
        summary.sessions = last.sessions
        summary.messages = last.messages
        if last.lacking > 0 {
            summary.left.append(
                "\(last.lacking) bytes of the wire are not in the recording; their packets are cut short")
        }
        summary.take(read)
        return summary
    }
}
