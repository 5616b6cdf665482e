import CPcap
import Glibc
import Journaling
import NIOCore

/// What a capture gives up once its device is open, and before a byte of what others sent is looked at (trust.md T46). All
/// of it belongs to threads, so it is done while there is only one, and proven afterwards for all that there are.
package struct CaptureRights: Sendable, Equatable {
    /// Whom the process belongs to from now on.
    package var user: String

    /// Whom to become.
    package struct Target: Sendable, Equatable {
        package var name: String
        package var user: UInt32
        package var group: UInt32

        /// - Parameter name: nil = who called sudo, else `nobody`. Whom root did not start gets no other user than themselves,
        ///   whatever rights the program's file lends and whatever the environment claims.
        package static func named(_ name: String?) throws(ImportError) -> Target {
            guard getuid() == 0 else {
                let own = unsafe Target(record: getpwuid(getuid())) ?? Target(name: "uid \(getuid())", user: getuid(), group: getgid())
                if let name, name != own.name { throw CaptureRights.failure("only root can become \(name)", "run it as that user, or leave --user out") }
                return own
            }
            if let name {
                if let target = unsafe Target(record: getpwnam(name)) { return target }
                throw CaptureRights.failure("no user is called `\(name)`", "name one of /etc/passwd with --user")
            }
            if let caller = unsafe getenv("SUDO_UID").flatMap({ unsafe UInt32(String(cString: $0)) }), caller != 0,
                let target = unsafe Target(record: getpwuid(caller))
            {
                return target
            }
            return unsafe Target(record: getpwnam("nobody")) ?? Target(name: "nobody", user: 65_534, group: 65_534)
        }

        private init(name: String, user: UInt32, group: UInt32) {
            self.name = name
            self.user = user
            self.group = group
        }

        private init?(record: UnsafeMutablePointer<passwd>?) {
            guard let record = unsafe record?.pointee, let name = unsafe record.pw_name else { return nil }
            unsafe self.init(name: String(cString: name), user: record.pw_uid, group: record.pw_gid)
        }
    }

    /// The process cannot get any of it back. Throws when anything is left: then nothing may be parsed.
    package static func drop(to target: Target) throws(ImportError) -> CaptureRights {
        let wasRoot = geteuid() == 0
        if wasRoot {
            for number: UInt in 0..<64 { _ = miswire_drop_bounding_capability(number) }
            guard setgroups(0, nil) == 0 else { throw failure("its groups cannot be left: \(reason())") }
            guard setgid(target.group) == 0, setuid(target.user) == 0 else {
                throw failure("it cannot become \(target.name): \(reason())")
            }
        }
        _ = miswire_clear_ambient_capabilities()
        guard miswire_clear_capabilities() == 0 else { throw failure("its capabilities cannot be cleared: \(reason())") }
        guard miswire_no_new_privileges() == 0 else { throw failure("new privileges cannot be refused: \(reason())") }
        if let left = try rest(target, wasRoot) { throw failure(left) }
        return CaptureRights(user: target.name)
    }

    /// What any thread still holds, in words.
    private static func rest(_ target: Target, _ wasRoot: Bool) throws(ImportError) -> String? {
        do throws(RecordingError) {
            for task in try Directory.names(in: "/proc/self/task") {
                let bytes = try Directory.contents("/proc/self/task/\(task)/status", most: 64 << 10, chunk: 16 << 10)
                for line in String(buffer: bytes).split(separator: "\n") {
                    let words = line.split { $0 == "\t" || $0 == " " }.map(String.init)
                    guard let label = words.first else { continue }
                    let values = words.dropFirst()
                    switch label {
                    case "CapInh:", "CapPrm:", "CapEff:", "CapAmb:":
                        if values.contains(where: { UInt64($0, radix: 16) != 0 }) { return "thread \(task) still has \(line)" }
                    case "NoNewPrivs:":
                        if values.first != "1" { return "thread \(task) may still gain privileges" }
                    case "Uid:":
                        if values.contains(where: { UInt32($0) != target.user }) { return "thread \(task) is still another user: \(line)" }
                    case "Gid:":
                        if wasRoot, values.contains(where: { UInt32($0) != target.group }) { return "thread \(task) is still in another group: \(line)" }
                    case "Groups:":
                        if wasRoot, !values.isEmpty { return "thread \(task) is still in groups: \(line)" }
                    default: break
                    }
                }
            }
            return nil
        } catch { return "\(error.place): \(error.found)" }
    }

    private static func reason() -> String {
        let code = errno
        return unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }

    private static func failure(
        _ found: String, _ remedy: String = "run it as root or with sudo, or give the program cap_net_raw and nothing else"
    ) -> ImportError {
        ImportError(
            place: "capture", sentence: "the rights that only opening the device needs cannot be given up",
            expected: "a process without any before it reads a packet", found: found, remedy: remedy)
    }
}
