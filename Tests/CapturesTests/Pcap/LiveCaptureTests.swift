import Glibc
import Journaling
import NIOCore
import Testing

@testable import Captures

/// Live captures of loopback, where this machine allows them.
@Suite struct LiveCaptureTests {
    static let isAllowed: Bool = (try? CaptureDevice("lo", filter: "port 1")) != nil

    @Test func interfacesThatAreNone() {
        #expect { try CaptureDevice("miswire-none", filter: nil) } throws: { error in
            guard let error = error as? ImportError else { return false }
            return error.sentence == "there is no such interface" || error.sentence.contains("not allowed")
        }
    }

    @Test(.enabled(if: LiveCaptureTests.isAllowed)) func filtersThatAreNone() {
        #expect(throws: ImportError.self) { try CaptureDevice("lo", filter: "tcp prt 9") }
    }

    /// The capture thread gives its rights up, so it is not one of the tests' own.
    @Test(.enabled(if: LiveCaptureTests.isAllowed)) func packetsOfOneDatagramEach() throws {
        let folder = try Folder()
        let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { _ = Glibc.close(socket) }
        let device = try CaptureDevice("lo", filter: "udp port 47319")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(47_319).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        for text in ["one", "two"] {
            _ = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                    unsafe sendto(socket, text, 3, 0, target, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var bytes: [UInt8] = []
        PcapngBlocks.section(program: "test", into: &bytes)
        PcapngBlocks.interface(link: device.link, name: "lo", into: &bytes)
        var found: [[UInt8]] = []
        for _ in 0..<2_000 where found.count < 2 {
            _ = try device.take(16) { (packet, wireLength, time) throws(ImportError) in
                var copy: [UInt8] = []
                for index in 0..<packet.byteCount { copy.append(packet.byte(index)) }
                if copy.count > 42 { found.append(Array(copy.suffix(3))) }
                PcapngBlocks.packet(packet, wireLength: wireLength, at: time, into: &bytes)
            }
            usleep(1_000)
        }
        #expect(found.contains(Array("one".utf8)) && found.contains(Array("two".utf8)))
        try folder.write("a.pcapng", bytes)
        let summary = try PcapImporter.read([folder["a.pcapng"]], options: ImportOptions(), into: RecordingSink())
        #expect(summary.records >= 2 && summary.skipped == summary.records)
    }
}
