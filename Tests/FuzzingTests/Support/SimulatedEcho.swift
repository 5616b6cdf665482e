import Journaling
import NIOCore
import Peers
import Wire

@testable import ReferenceBackend

/// Sends every message back as it came, in virtual time.
struct SimulatedEcho: SimulatedServer {
    private struct Peer {
        var head = HeadParser(.request)
        var socket = ServerSocket()
        var isOpen = false
        var isOver = false
    }
    private var peers: [Int: Peer] = [:]

    mutating func handle(_ event: SimulatedServerEvent, at now: Instant) -> [SimulatedServerCommand] {
        switch event {
        case .accepted(let id):
            peers[id] = Peer()
            return []
        case .received(let id, let bytes): return receive(bytes, from: id)
        case .ended(let id, _):
            let wasOver = peers.removeValue(forKey: id)?.isOver ?? true
            return wasOver ? [] : [.finish(id)]
        case .wake: return []
        }
    }

    private mutating func receive(_ bytes: ByteBuffer, from id: Int) -> [SimulatedServerCommand] {
        guard var peer = peers[id], !peer.isOver else { return [] }
        defer { peers[id] = peer }
        var commands: [SimulatedServerCommand] = []
        if peer.isOpen {
            peer.socket.feed(bytes)
        } else {
            peer.head.feed(bytes)
            let result = peer.head.next()
            if result == .partial { return [] }
            guard case .request(let head) = result, head.upgradeProblem == nil, let key = head.value("sec-websocket-key") else {
                peer.isOver = true
                let answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                return [.write(id, ByteBuffer(string: answer)), .finish(id)]
            }
            peer.isOpen = true
            let lines = [
                "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Accept: " + AcceptKey.compute(key), "", "",
            ]
            commands.append(.write(id, ByteBuffer(string: lines.joined(separator: "\r\n"))))
            peer.socket.feed(peer.head.takeHeld())
        }
        while let happening = peer.socket.next() {
            let frame: Frame
            switch happening {
            case .text(let text): frame = Frame(opcode: .text, payload: text)
            case .binary(let bytes): frame = Frame(opcode: .binary, payload: bytes)
            case .ping(let payload): frame = Frame(opcode: .pong, payload: payload)
            case .close(let body):
                frame = Frame(opcode: .close, payload: body.payload)
                peer.isOver = true
            case .failure(let code, let reason):
                frame = Frame(opcode: .close, payload: CloseBody(code: code, reason: reason).payload)
                peer.isOver = true
            }
            commands.append(.write(id, FrameWriter.bytes(frame)))
        }
        if peer.isOver { commands.append(.finish(id)) }
        return commands
    }
}
