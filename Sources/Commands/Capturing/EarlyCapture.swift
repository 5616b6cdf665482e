import Captures
import Synchronization

/// Opens the device of `miswire capture` and gives up every right, before the program starts its first thread: rights
/// belong to threads (trust.md T46). What went wrong is told by the verb itself, in its own words.
package enum EarlyCapture {
    struct Opened: Sendable {
        var device: CaptureDevice
        var rights: CaptureRights
    }

    private static let outcome = Mutex<Result<Opened, ImportError>?>(nil)

    /// To be the first thing that the program does. Other verbs and wrong command lines are left alone.
    package static func prepare(_ arguments: [String]) {
        guard arguments.first == "capture", let verb = try? Capture.parse(Array(arguments.dropFirst())) else { return }
        let result = open(verb)
        outcome.withLock { $0 = result }
    }

    /// What `prepare` came to; without it, the device is opened now.
    static func take(_ verb: Capture) throws(ImportError) -> Opened {
        let early = outcome.withLock { outcome in
            let early = outcome
            outcome = nil
            return early
        }
        return try (early ?? open(verb)).get()
    }

    private static func open(_ verb: Capture) -> Result<Opened, ImportError> {
        do throws(ImportError) {
            let target = try CaptureRights.Target.named(verb.user)
            guard target.user != 0 || verb.root.isAllowed else {
                throw ImportError(
                    place: "--user \(target.name)", sentence: "a capture does not go on as root", expected: "a user without rights",
                    found: "uid 0", remedy: "name another user with --user, or add --allow-root")
            }
            let device = try CaptureDevice(verb.interface, filter: verb.expression)
            return .success(Opened(device: device, rights: try CaptureRights.drop(to: target)))
        } catch { return .failure(error) }
    }
}
