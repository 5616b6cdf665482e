package import Journaling
import NIOCore
import Wire

/// One proxied connection: events in, effects out. It owns no clock, socket or dice; a shell performs its commands.
package struct SessionMachine: Sendable {
    package let id: SessionID
    private let configuration: SessionConfiguration
    private var ordinal: UInt32 = 1

    package init(configuration: SessionConfiguration, id: SessionID) {
        self.configuration = configuration
        self.id = id
    }

    package mutating func handle(_ event: SessionEvent, at now: Instant, into output: inout SessionOutput) {
        switch event {
        case .accepted: output.commands.append(.connect)
        case .received(let side, let bytes): output.commands.append(.write(side.other, bytes))
        case .ended(let side, .finish): output.commands.append(.finish(side.other))
        case .ended(let side, .reset): output.commands.append(.close(side.other, .reset))
        default: break
        }
    }
}
