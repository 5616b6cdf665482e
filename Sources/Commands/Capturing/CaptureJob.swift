import Captures
import Contracts
import Foundation
import Synchronization

/// A live capture on a thread of its own.
final class CaptureJob: Sendable {
    struct Told: Sendable {
        var live = LiveCapture.Summary()
        /// Whether a session was found and recorded.
        var hasRecording = false
        var counts = ImportCounts()
    }

    private let options: LiveCapture.Options
    private let device: CaptureDevice
    private let out: String?
    private let contract: Contract?
    private let recording: RecordOptions
    private let isAsked = Atomic(false)

    init(_ options: LiveCapture.Options, _ device: CaptureDevice, out: String?, contract: Contract?, recording: RecordOptions) {
        self.device = device
        self.recording = recording
        self.options = options
        self.out = out
        self.contract = contract
    }

    /// Ends the capture in good order.
    func stop() { isAsked.store(true, ordering: .releasing) }

    /// - Parameters:
    ///   - opened: the interface is listened to from now on; with the key log that is not there yet.
    ///   - warn: one sentence about what somebody could mend meanwhile.
    func run(
        opened: @escaping @Sendable (_ awaitedKeyLog: String?) -> Void, progress: @escaping @Sendable (LiveCapture.Summary) -> Void,
        warn: @escaping @Sendable (String) -> Void
    ) async -> Result<Told, ImportError> {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                do throws(ImportError) {
                    continuation.resume(returning: .success(try self.listen(opened, progress, warn)))
                } catch { continuation.resume(returning: .failure(error)) }
            }
        }
    }

    private func listen(
        _ opened: (String?) -> Void, _ progress: (LiveCapture.Summary) -> Void, _ warn: @escaping (String) -> Void
    ) throws(ImportError) -> Told {
        let capture = try LiveCapture(options, device)
        var told = Told()
        var weaver: SessionWeaver?
        opened(capture.awaitedKeyLog)
        told.live = try capture.run(
            { () throws(ImportError) in
                weaver = try self.makeWeaver()
                return weaver
            }, isAsked: { isAsked.load(ordering: .acquiring) }, progress: progress, warn: warn)
        try weaver?.finish()
        told.hasRecording = weaver?.hasRecording ?? false
        told.counts = weaver?.counts ?? ImportCounts()
        return told
    }

    private func makeWeaver() throws(ImportError) -> SessionWeaver? {
        guard let out else { return nil }
        var settings = Import.settings(contract, recording, out: out, isPacked: false, purpose: "captured from \(options.interface)")
        settings.isLive = true
        return try SessionWeaver(settings)
    }
}
