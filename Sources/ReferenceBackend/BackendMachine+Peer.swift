import Journaling
import NIOCore
import Wire

/// What the planted bugs of the protocol, of resources and of fairness do (B21-B26).
extension BackendMachine {
    // MARK: Closing

    /// A Close is answered with its own code (RFC 6455 section 5.5.1), or with none.
    mutating func echo(_ body: CloseBody, on id: BackendConnectionID, _ effects: inout [BackendEffect]) -> ByteBuffer {
        if let code = body.code { return CloseBody(code: code).payload }
        guard has(.reservedCloseCode) else { return ByteBuffer() }
        let user = connections[id]?.user
        mark(.reservedCloseCode, .reached, on: id, user: user, type: "close", &effects)
        mark(.reservedCloseCode, .triggered, on: id, user: user, type: "close", &effects)
        return CloseBody(code: 1005).payload
    }

    /// B26: the text was refused though nothing but its borders is odd.
    mutating func noteRejectedSplit(_ id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        guard has(.splitCharacterRejected), connections[id]?.socket.hasRejectedSplit == true else { return }
        let user = connections[id]?.user
        mark(.splitCharacterRejected, .reached, on: id, user: user, type: "close", &effects)
        mark(.splitCharacterRejected, .triggered, on: id, user: user, type: "close", &effects)
    }

    // MARK: Leaks

    /// B23: whoever goes before the request head is whole leaves something behind.
    mutating func noteAbort(_ id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        guard has(.abortLeaks), connections[id]?.phase == .head else { return }
        mark(.abortLeaks, .reached, on: id, user: nil, type: "upgrade", &effects)
        mark(.abortLeaks, .triggered, on: id, user: nil, type: "upgrade", &effects)
        effects.append(.leak(id))
    }

    /// B22: what an unfinished message has taken stays taken when its connection goes.
    mutating func notePinned(_ id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        guard has(.fragmentsPinned), let connection = connections[id], !connection.socket.pinned.isEmpty else { return }
        mark(.fragmentsPinned, .reached, on: id, user: connection.user, type: "message", &effects)
        mark(.fragmentsPinned, .triggered, on: id, user: connection.user, type: "message", &effects)
        pinned += connection.socket.pinned.prefix(max(0, ServerSocket.mostPinned - pinned.count))
    }

    /// B21: more was inflated than any message may have.
    mutating func noteInflated(_ size: Int, on id: BackendConnectionID, _ effects: inout [BackendEffect]) {
        guard has(.inflateUnbounded) else { return }
        let user = connections[id]?.user
        mark(.inflateUnbounded, .reached, on: id, user: user, type: "message", &effects)
        if size > ServerSocket.messageLimit { mark(.inflateUnbounded, .triggered, on: id, user: user, type: "message", &effects) }
    }

    // MARK: One at a time

    /// B24: bytes are taken as a server does that reads each message to its end before it looks at anybody else.
    mutating func receiveInTurn(
        _ bytes: ByteBuffer, from id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        if let blocker, blocker != id {
            mark(
                .stuckReadBlocks, .triggered, on: blocker, user: connections[blocker]?.user, type: "message", &effects)
            // Nobody may make us hold more than a few messages; a server that blocks has its peers blocked as well.
            if queued.count < 4_096 { queued.append((id, bytes)) }
            return
        }
        receive(bytes, from: id, at: now, &effects)
        if let connection = connections[id], connection.hasSocket, connection.socket.isMidFrame {
            mark(.stuckReadBlocks, .reached, on: id, user: connection.user, type: "message", &effects)
            blocker = id
        } else if blocker == id {
            unblock(at: now, &effects)
        }
    }

    mutating func unblock(at now: Instant, _ effects: inout [BackendEffect]) {
        blocker = nil
        let waiting = queued
        queued = []
        for (id, bytes) in waiting { receiveInTurn(bytes, from: id, at: now, &effects) }
    }
}
