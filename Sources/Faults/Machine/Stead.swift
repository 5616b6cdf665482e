import Journaling
import NIOCore
import Wire

/// A fault accepted the client before the server answered.
struct Stead: Sendable {
    /// What the client was told.
    var head: ByteBuffer
    /// The fault's entry, once more for the answer that is kept back.
    var record: FaultRecord
}

extension SessionMachine {
    /// Tells the client that its upgrade succeeded; it may send frames from here on.
    mutating func accept(_ head: UpgradeHead, _ step: Step, at now: Instant, _ output: inout SessionOutput) {
        guard let rule = step.rule, trigger.rules.indices.contains(rule), opening?.stead == nil, !toClient.isShut else { return }
        let armed = trigger.rules[rule]
        opening?.stead = Stead(
            head: head.bytes,
            record: armed.record(.clientOut, on: nil))
        depart(
            head.bytes, .departure(.head, Provenance(faults: step.faults)), .toClient, until: nil, at: now, &output)
    }

    /// The server's answer, for a client that has one already.
    mutating func keepBack(_ head: ResponseHead, at now: Instant, _ output: inout SessionOutput) {
        guard let stead = opening?.stead else { return }
        let ref = piece(.toClient, .head, head.bytes, in: now, out: nil, at: now, &output)
        var record = stead.record
        record.on = ref
        record.detail = "the server's \(head.status) is kept back, the client was accepted before"
        note(.fault(record), at: now, &output)
        if head.isInterim { return }
        let rest = opening?.response.takeHeld() ?? ByteBuffer()
        phase = .relaying
        opening = nil
        if head.status == 101 {
            begin(head, told: stead.head, at: now, &output)
        } else {
            note(.became(.refused(status: head.status)), at: now, &output)
            relayRaw(at: now, &output)
            // There is no way left to say no but to hang up.
            cut(Side.allCases.map { .init(side: $0, style: .half) }, fault: record.id, at: now, &output)
        }
        if rest.readableBytes > 0 { received(rest, .toClient, at: now, &output) }
    }
}

extension ExtensionOutcome {
    /// What a client reads from a 101 that may be no well-formed head.
    init(told head: ByteBuffer) {
        let view = HeadView(head)
        self.init(accepted: view.values(of: "sec-websocket-extensions").map(view.text))
    }
}
