import Foundation
import Testing

@testable import Commands

/// Nothing that others sent is parsed with root's rights (trust.md T46).
@Suite(.timeLimit(.minutes(5))) struct RootTests {
    static let isRoot = geteuid() == 0

    @Test(
        .enabled(if: isRoot, "only root can be refused"),
        arguments: [
            ("proxy", ["ws://127.0.0.1:1", "--wait", "0"]), ("import", ["nothere", "--out", "x"]), ("export", ["nothere", "--format", "har"]),
        ])
    func rootIsRefused(verb: String, arguments: [String]) async throws {
        // Some of them make what they are told to write into.
        let place = NSTemporaryDirectory() + "/miswire-root-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: place) }
        let told = try await Program.run([verb] + arguments, environment: ["MISWIRE_ALLOW_ROOT": ""], in: place)
        #expect(told.code == 4 && told.out.isEmpty)
        #expect(told.err.hasPrefix("error: `miswire \(verb)` does not run as root\n"), "\(told.err)")
        #expect(told.err.contains("say --allow-root or MISWIRE_ALLOW_ROOT=1"))
        let flag = try await Program.run([verb, "--allow-root"] + arguments, environment: ["MISWIRE_ALLOW_ROOT": ""], in: place)
        let variable = try await Program.run([verb] + arguments, environment: ["MISWIRE_ALLOW_ROOT": "1"], in: place)
        for allowed in [flag, variable] { #expect(!allowed.err.contains("as root") && allowed.code != 0, "\(allowed.err)") }
    }

    /// Files can lend rights here.
    private static let canLend: Bool = {
        var place = statvfs()
        guard unsafe statvfs(NSTemporaryDirectory(), &place) == 0, place.f_flag & 2 == 0 else { return false }
        return FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv") && status(getpid()).allSatisfy { $0["NoNewPrivs"] == "0" }
    }()

    /// What the kernel says of every thread of a process.
    private static func status(_ pid: Int32) -> [[String: String]] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return tasks.compactMap { task in
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(task)/status", encoding: .utf8) else { return nil }
            let rows = text.split(separator: "\n").map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
            return Dictionary(rows.filter { $0.count == 2 }.map { ($0[0], $0[1].trimmingCharacters(in: .whitespaces)) }) { first, _ in first }
        }
    }

    @Test(.enabled(if: isRoot, "only root has rights to give up")) func theFirstPacketMeetsNoRights() async throws {
        try await Program.inDirectory { path in
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
            let file = path + "/a.pcapng"
            let port = try Ports.free()
            let capture = try Program.start(
                ["capture", "-i", "lo", "udp", "port", "\(port)", "--write", file, "--yes", "--count", "1", "--duration", "2m"],
                environment: ["SUDO_UID": "", "MISWIRE_ALLOW_ROOT": ""])
            // The file is made when the rights are gone, and no packet can have come before we send one.
            for _ in 0..<2_400 where !FileManager.default.fileExists(atPath: file) { try await Task.sleep(for: .milliseconds(25)) }
            let tasks = Self.status(capture.pid)
            #expect(!tasks.isEmpty)
            for task in tasks {
                for label in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] { #expect(task[label] == "0000000000000000", "\(label)") }
                #expect(task["NoNewPrivs"] == "1" && task["Groups"] == "")
                let users = (task["Uid"] ?? "0").split(separator: "\t") + (task["Gid"] ?? "0").split(separator: "\t")
                #expect(users.count == 8 && users.allSatisfy { $0 != "0" }, "\(users)")
            }
            Ports.send("hello there", to: port)
            let told = await capture.end()
            #expect(told.code == 0 && told.err.contains("as nobody"), "\(told.err)")
            let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            #expect(bytes.firstRange(of: Data("hello there".utf8)) != nil)
            let owner = try FileManager.default.attributesOfItem(atPath: file)[.ownerAccountID] as? NSNumber
            #expect(owner?.intValue != 0)
        }
    }

    @Test(.enabled(if: isRoot, "only root could stay root")) func aCaptureDoesNotStayRoot() async throws {
        let told = try await Program.run(
            ["capture", "-i", "lo", "--write", "x.pcapng", "--user", "root"], environment: ["MISWIRE_ALLOW_ROOT": ""])
        #expect(told.code == 4 && told.err.contains("a capture does not go on as root") && told.err.contains("--allow-root"), "\(told.err)")
        let nobody = try await Program.run(["capture", "-i", "lo", "--write", "x.pcapng", "--user", "no-such-user"])
        #expect(nobody.code == 4 && nobody.err.contains("no user is called `no-such-user`"), "\(nobody.err)")
    }

    /// A file that lends root's rights lends them for opening the device: who calls it cannot choose whom to become.
    @Test(.enabled(if: isRoot && canLend, "only root can lend its rights, and not where the machine forbids it"))
    func aLentRightIsNoChoiceOfUser() async throws {
        try await Program.inDirectory { path in
            let copy = path + "/miswire"
            try FileManager.default.copyItem(atPath: Program.path, toPath: copy)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
            #expect(unsafe chmod(copy, 0o4755) == 0)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
            process.arguments = [
                "--reuid=65534", "--regid=65534", "--clear-groups", copy, "capture", "-i", "lo", "udp", "port", "9", "--write", path + "/a",
                "--yes", "--duration", "1s",
            ]
            process.environment = ["SUDO_UID": "1", "LANG": "C.UTF-8"]
            let told = try await Running(process).end()
            #expect(told.err.contains("as nobody"), "\(told.err)")
            let owner = try FileManager.default.attributesOfItem(atPath: path + "/a")[.ownerAccountID] as? NSNumber
            #expect(owner?.intValue == 65_534)
        }
    }
}
