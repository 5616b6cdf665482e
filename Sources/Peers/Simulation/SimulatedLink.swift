import Faults
import Journaling
import NIOCore
import Wire

/// One transport of a simulated session: what `ProxyRuntime`'s link does over a socket, over memory.
struct SimulatedLink {
    let transport: Int
    /// Which end of the transport is the proxy's.
    let end: Int
    var bytesIn: UInt64 = 0
    /// Bytes handed over, and those of them that were lost when it closed.
    var handed: UInt64 = 0
    var lost: UInt64 = 0
    var inputEnded = false
    var outputEnded = false
    var toldEnd = false
    /// The machine has ended this side; what still arrives is no part of the ledger.
    var isDiscarding = false
    var isClosed = false
    /// The machine was told that nothing more can be taken.
    var isFull = false

    init(transport: Int, end: Int) {
        self.transport = transport
        self.end = end
    }

    var bytesOut: UInt64 { handed &- lost }
}

extension SimulatedProxy {
    // MARK: From the network

    mutating func received(_ bytes: ByteBuffer, _ index: Int, _ side: Side, _ network: inout MemoryNetwork) {
        guard let link = sessions[index].link(side), !link.isDiscarding, !link.isClosed else { return }
        sessions[index].change(side) { $0.bytesIn &+= UInt64(bytes.readableBytes) }
        deliver(.received(side, bytes), to: index, &network)
    }

    mutating func finished(_ index: Int, _ side: Side, _ network: inout MemoryNetwork) {
        guard let link = sessions[index].link(side), !link.isClosed else { return }
        sessions[index].change(side) { $0.inputEnded = true }
        if link.isDiscarding { return leave(index, side, &network) }
        tellEnd(.finish, index, side, &network)
        closeIfBothEnded(index, side, &network)
    }

    mutating func reset(_ index: Int, _ side: Side, _ network: inout MemoryNetwork) {
        close(index, side, told: .reset, &network)
    }

    mutating func drained(_ index: Int, _ side: Side, _ network: inout MemoryNetwork) {
        guard let link = sessions[index].link(side), !link.isClosed else { return }
        if link.isFull, !link.isDiscarding {
            sessions[index].change(side) { $0.isFull = false }
            deliver(.writable(side, true), to: index, &network)
        }
        closeIfBothEnded(index, side, &network)
    }

    private mutating func closeIfBothEnded(_ index: Int, _ side: Side, _ network: inout MemoryNetwork) {
        guard let link = sessions[index].link(side), link.inputEnded, link.outputEnded, !link.isClosed,
            network.untaken(link.transport, link.end) == 0
        else { return }
        leave(index, side, &network)
    }

    private mutating func tellEnd(
        _ style: EndStyle, _ index: Int, _ side: Side, _ network: inout MemoryNetwork
    ) {
        guard let link = sessions[index].link(side), !(link.toldEnd && style == .finish) else { return }
        sessions[index].change(side) { $0.toldEnd = true }
        deliver(.ended(side, style), to: index, &network)
    }

    // MARK: Commands

    mutating func write(_ bytes: ByteBuffer, _ index: Int, _ side: Side, _ network: inout MemoryNetwork) {
        let count = UInt64(clamping: bytes.readableBytes)
        guard let link = sessions[index].link(side), !link.isClosed, !link.outputEnded, !link.isDiscarding,
            network.hasEnd(link.transport, link.end)
        else {
            if count > 0 { deliver(.undelivered(side, count), to: index, &network) }
            return
        }
        sessions[index].change(side) { $0.handed &+= count }
        network.send(bytes, link.transport, from: link.end, at: now)
        if !link.isFull, network.untaken(link.transport, link.end) > 0 {
            sessions[index].change(side) { $0.isFull = true }
            deliver(.writable(side, false), to: index, &network)
        }
    }

    mutating func finish(_ index: Int, _ side: Side, _ network: inout MemoryNetwork) {
        guard let link = sessions[index].link(side), !link.isClosed, !link.outputEnded else { return }
        sessions[index].change(side) { $0.outputEnded = true }
        network.finish(link.transport, from: link.end, at: now)
        closeIfBothEnded(index, side, &network)
    }

    mutating func close(_ index: Int, _ side: Side, _ style: CutStyle, _ network: inout MemoryNetwork) {
        guard let link = sessions[index].link(side), !link.isClosed else { return }
        sessions[index].change(side) { $0.isDiscarding = true }
        switch style {
        case .reset:
            network.reset(link.transport, from: link.end, at: now)
            close(index, side, told: nil, &network)
        case .half:
            network.setReads(link.transport, link.end, true, at: now)
            asks.append((.linger(session: index, side), now.advanced(by: .seconds(2))))
            sessions[index].change(side) { $0.outputEnded = true }
            network.finish(link.transport, from: link.end, at: now)
            closeIfBothEnded(index, side, &network)
        case .silent:
            network.setReads(link.transport, link.end, false, at: now)
        }
    }

    mutating func setReads(_ on: Bool, _ index: Int, _ side: Side, _ network: inout MemoryNetwork) {
        guard let link = sessions[index].link(side), !link.isClosed, !link.isDiscarding else { return }
        network.setReads(link.transport, link.end, on, at: now)
    }

    /// An orderly end of what is left of the transport.
    mutating func leave(_ index: Int, _ side: Side, _ network: inout MemoryNetwork) {
        guard let link = sessions[index].link(side), !link.isClosed else { return }
        let lost = network.untaken(link.transport, link.end)
        network.leave(link.transport, link.end, at: now)
        close(index, side, told: link.outputEnded ? .finish : .reset, lost: lost, &network)
    }

    private mutating func close(
        _ index: Int, _ side: Side, told style: EndStyle?, lost: Int? = nil, _ network: inout MemoryNetwork
    ) {
        guard let link = sessions[index].link(side), !link.isClosed else { return }
        let lost = UInt64(clamping: lost ?? network.untaken(link.transport, link.end))
        sessions[index].change(side) {
            $0.isClosed = true
            $0.lost = lost
        }
        if lost > 0 { deliver(.undelivered(side, lost), to: index, &network) }
        if let style, !link.isDiscarding { tellEnd(style, index, side, &network) }
        endIfOver(index, &network)
    }
}
