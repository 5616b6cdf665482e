import Faults
import Journaling
import NIOCore
import NIOPosix
import Plans
import ProxyRuntime
import Wire

/// The server's end: sockets.
extension InlineCase {
    func dial(_ index: Int, candidate: Int = 0) {
        guard sessions[index].server == nil, ground.addresses.indices.contains(candidate) else { return }
        sessions[index].dialling = .yes
        let address = ground.addresses[candidate]
        let limits = ground.limits
        let me = NIOLoopBound(self, eventLoop: ground.loop)
        ClientBootstrap(group: ground.loop)
            .connectTimeout(.nanoseconds(limits.connectTime.nanoseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try SocketTuning.apply(to: channel, limits: limits, inherited: true)
                    try channel.pipeline.syncOperations.addHandler(InlineLink(session: index, of: me.value))
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenFailure { error in
                if candidate + 1 < self.ground.addresses.count { return self.dial(index, candidate: candidate + 1) }
                self.dialFailed(SocketTuning.sentence(for: error, dialling: address, within: limits.connectTime), index)
            }
    }

    func dialFailed(_ sentence: String, _ index: Int) {
        guard act != .over else { return }
        let wasWanted = sessions[index].dialling == .yes
        sessions[index].dialling = .no
        if wasWanted {
            unreachable.append(sentence)
            tell(.connectFailed(sentence), index)
        }
        endIfOver(index)
    }

    func connected(_ index: Int, _ link: InlineLink) {
        guard act != .over, sessions[index].dialling == .yes else { return link.close(.reset) }
        sessions[index].dialling = .no
        sessions[index].server = link
        tell(.connected, index)
    }

    func socketClosed(_ index: Int) { endIfOver(index) }

    func closeServer(_ style: CutStyle, _ index: Int) {
        if let server = sessions[index].server { return server.close(style) }
        if sessions[index].dialling == .yes {
            sessions[index].dialling = .abandoned
            endIfOver(index)
        }
    }

    func endIfOver(_ index: Int) {
        guard act != .over, sessions[index].hasNoEnds else { return }
        later {
            guard self.sessions[index].hasNoEnds, !self.sessions[index].isOver else { return }
            self.queue.append(.session(index, .closed(self.sessions[index].totals)))
        }
    }
}
