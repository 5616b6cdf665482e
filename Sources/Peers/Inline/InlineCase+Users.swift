import Faults
import Journaling
import NIOCore
import NIOPosix
import Plans
import ProxyRuntime
import Wire

/// The users' end: lines of the play machine, in memory.
extension InlineCase {
    func stepPlay(_ event: PlayMachine.Event) {
        play.handle(event, at: now, into: &commands)
        let asked = commands
        commands.removeAll(keepingCapacity: true)
        for command in asked { perform(command) }
    }

    func perform(_ command: PlayMachine.Command) {
        switch command {
        case .connect(let line): accept(line)
        case .write(let line, let bytes):
            guard sessions.has(line), !sessions[line].isUserGone else { return }
            sessions[line].fromUser.append(bytes)
            takeFromUser(line)
        case .finish(let line): endByUser(.finish, line)
        case .reset(let line): endByUser(.reset, line)
        case .reads(let line, let on): setUserReads(on, line)
        case .wake(let instant): playWake = instant
        case .played:
            if act == .playing { act = .settling(since: now) }
            options.onPlayed?()
        case .over:
            for index in sessions.indices {
                if sessions[index].isVisit { queue.append(.session(index, .leave)) } else { leaveUser(index) }
            }
            for index in sessions.indices where !sessions[index].isOver { queue.append(.session(index, .drain)) }
            if case .leaving = act {} else { act = .leaving(since: now) }
        }
    }

    /// A line of the play and its session have the same number.
    func accept(_ line: Int) {
        let id = SessionID(UInt32(clamping: line + 1))
        sessions.append(InlineSession(id: id, machine: SessionMachine(configuration: machines, id: id)))
        if mayCross { directory.list(.init(session: id, loop: 0, label: nil)) }
        let opened = Opened(transport: TransportID(id.value), peer: "127.0.0.1:\(50_000 + line % 10_000)")
        queue.append(.session(line, .accepted(opened)))
        queue.append(.play(.connected(line)))
    }

    func takeFromUser(_ index: Int) {
        while sessions[index].takesFromUser, !sessions[index].fromUser.isEmpty {
            let bytes = sessions[index].fromUser.removeFirst()
            if sessions[index].isDiscarding { continue }
            sessions[index].userIn &+= UInt64(clamping: bytes.readableBytes)
            queue.append(.session(index, .received(.client, bytes)))
        }
        guard sessions[index].fromUser.isEmpty, let style = sessions[index].userEnded, !sessions[index].toldUserEnd else {
            return
        }
        sessions[index].toldUserEnd = true
        if !sessions[index].isDiscarding { queue.append(.session(index, .ended(.client, style))) }
        if style == .reset || sessions[index].outEnded { userGone(index) }
    }

    func endByUser(_ style: EndStyle, _ index: Int) {
        guard sessions.has(index), !sessions[index].isUserGone else { return }
        if style == .reset {
            // What was on its way is lost with it.
            sessions[index].fromUser = []
            loseToUser(index)
            sessions[index].toldUserEnd = false
        }
        if sessions[index].userEnded != .reset { sessions[index].userEnded = style }
        takeFromUser(index)
    }

    /// The user's transport is closed for good.
    func leaveUser(_ index: Int) {
        guard !sessions[index].isUserGone else { return }
        loseToUser(index)
        if sessions[index].userEnded == nil { sessions[index].userEnded = sessions[index].outEnded ? .finish : .reset }
        sessions[index].takesFromUser = true
        takeFromUser(index)
        userGone(index)
    }

    func userGone(_ index: Int) {
        guard !sessions[index].isUserGone else { return }
        sessions[index].isUserGone = true
        endIfOver(index)
    }

    func loseToUser(_ index: Int) {
        let lost = UInt64(clamping: sessions[index].toUserBytes)
        sessions[index].toUser = []
        sessions[index].toUserBytes = 0
        guard lost > 0 else { return }
        sessions[index].userOut &-= lost
        queue.append(.session(index, .undelivered(.client, lost)))
    }

    func writeToUser(_ bytes: ByteBuffer, _ index: Int) {
        let count = bytes.readableBytes
        guard !sessions[index].isUserGone, !sessions[index].outEnded, sessions[index].userEnded != .reset else {
            if count > 0 { queue.append(.session(index, .undelivered(.client, UInt64(clamping: count)))) }
            return
        }
        sessions[index].userOut &+= UInt64(clamping: count)
        if sessions[index].userReads {
            queue.append(.play(.received(index, bytes)))
        } else {
            let wasFull = sessions[index].toUserBytes > InlineSession.window
            sessions[index].toUser.append(bytes.compacted)
            sessions[index].toUserBytes += count
            if !wasFull, sessions[index].toUserBytes > InlineSession.window {
                queue.append(.session(index, .writable(.client, false)))
            }
        }
    }

    func setUserReads(_ on: Bool, _ index: Int) {
        guard sessions.has(index), on != sessions[index].userReads else { return }
        sessions[index].userReads = on
        guard on else { return }
        let wasFull = sessions[index].toUserBytes > InlineSession.window
        for bytes in sessions[index].toUser { queue.append(.play(.received(index, bytes))) }
        sessions[index].toUser = []
        sessions[index].toUserBytes = 0
        if wasFull { queue.append(.session(index, .writable(.client, true))) }
        if sessions[index].outEnded { queue.append(.play(.ended(index, .finish))) }
    }

    func endTowardsUser(_ index: Int) {
        guard !sessions[index].outEnded, !sessions[index].isUserGone else { return }
        sessions[index].outEnded = true
        if sessions[index].userReads { queue.append(.play(.ended(index, .finish))) }
        if sessions[index].toldUserEnd { userGone(index) }
    }

    func closeUser(_ style: CutStyle, _ index: Int) {
        guard !sessions[index].isUserGone else { return }
        sessions[index].isDiscarding = true
        sessions[index].takesFromUser = true
        sessions[index].fromUser = []
        switch style {
        case .reset:
            loseToUser(index)
            queue.append(.play(.ended(index, .reset)))
            userGone(index)
        case .half:
            endTowardsUser(index)
            if sessions[index].userEnded != nil { userGone(index) }
        case .silent: break
        }
    }
}
