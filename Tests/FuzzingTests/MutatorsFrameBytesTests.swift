import Contracts
import Journaling
import NIOCore
import Peers
import Plans
import Profiles
import Testing
import Wire

@testable import Fuzzing

/// What the frame mutators put on the wire, by playing the plans they make.
@Suite struct MutatorsFrameBytesTests {
    /// Frames that alice sends on her first connection in many mutations, one list a plan.
    private func frames(of kind: any Mutator.Type, draws: Int = 60) throws -> [[Frame]] {
        let workshop = try MutatorStage.workshop()
        return (0..<draws).compactMap { draw in
            var dice = MutatorStage.dice(kind.name, draw)
            guard let plan = kind.init().mutate(MutatorStage.lonely, in: workshop, dice: &dice) else { return nil }
            return WirePlay.frames(of: plan, contract: workshop.contract)
        }
    }

    /// Whether any plan's frames have one for which this holds.
    private func some(_ kind: any Mutator.Type, _ holds: (Frame) -> Bool) throws -> Bool {
        try frames(of: kind).contains { $0.contains(where: holds) }
    }

    private func all(_ kind: any Mutator.Type, _ holds: ([Frame]) -> Bool) throws -> Bool {
        let plans = try frames(of: kind)
        return !plans.isEmpty && plans.allSatisfy(holds)
    }

    @Test func opcodesThatAreReserved() throws {
        #expect(try all(ReservedOpcode.self) { $0.contains { (3...7).contains($0.opcode.rawValue) || $0.opcode.rawValue > 10 } })
    }

    @Test func reservedBits() throws {
        #expect(try all(ReservedBits.self) { $0.contains { $0.rsv != 0 } })
        #expect(try some(ReservedBits.self) { $0.rsv != 0 && $0.opcode == .ping })
        #expect(try all(DeflateUnasked.self) { $0.contains { $0.rsv == 4 && !$0.opcode.isControl } })
    }

    @Test func continuationsAndUnfinishedMessages() throws {
        #expect(try some(FinBit.self) { $0.opcode == .continuation && $0.fin })
        #expect(try some(FinBit.self) { $0.opcode == .text && !$0.fin })
        #expect(
            try all(InterleavedData.self) { frames in
                guard let first = frames.firstIndex(where: { $0.opcode == .text && !$0.fin }) else { return false }
                return frames[first + 1].opcode != .continuation && !frames[first + 1].opcode.isControl
            })
    }

    @Test func masks() throws {
        #expect(try some(MaskBit.self) { $0.maskKey == nil })
        #expect(try some(MaskBit.self) { $0.maskKey == 0 })
        #expect(try all(MaskBit.self) { $0.contains { $0.maskKey == nil || $0.maskKey == 0 } })
    }

    @Test func lengths() throws {
        #expect(try some(LengthField.self) { $0.lengthForm == .sixteen && $0.declaredLength < 126 })
        #expect(try some(LengthField.self) { $0.lengthForm == .sixtyFour && $0.declaredLength < 65_536 })
        let headers = try (0..<60).compactMap { draw -> FrameHeader? in
            let workshop = try MutatorStage.workshop()
            var dice = MutatorStage.dice(LengthField.name, draw)
            let plan = LengthField().mutate(MutatorStage.lonely, in: workshop, dice: &dice)
            return plan.flatMap { plan in
                WirePlay.writes(of: plan, contract: workshop.contract).lazy.compactMap { FrameHeader($0) }
                    .first { $0.isUnbounded || $0.declaredLength > 1 << 30 }
            }
        }
        #expect(headers.contains { $0.isUnbounded })
        #expect(headers.contains { !$0.isUnbounded })
    }

    @Test func controlFrames() throws {
        #expect(try some(ControlForm.self) { $0.opcode.isControl && $0.payload.readableBytes > 125 })
        #expect(try some(ControlForm.self) { $0.opcode.isControl && !$0.fin })
        #expect(try some(ControlLegal.self) { $0.opcode == .pong })
        #expect(
            try all(ControlLegal.self) { frames in
                let control = frames.filter { $0.opcode == .ping || $0.opcode == .pong }
                return (1...64).contains(control.count) && control.allSatisfy { $0.fin && $0.payload.readableBytes <= 125 }
            })
    }

    @Test func closes() throws {
        let codes = Set(
            try frames(of: CloseCode.self, draws: 300).flatMap { $0 }.filter { $0.opcode == .close }
                .compactMap { CloseBody($0.payload).code })
        #expect(codes.isSuperset(of: [0, 999, 1000, 1005, 1006, 1015, 1016, 2999, 3000, 4999, 5000, 65_535]))
        #expect(try some(CloseForm.self) { $0.opcode == .close && $0.payload.readableBytes == 1 })
        #expect(try some(CloseForm.self) { $0.opcode == .close && $0.payload.readableBytes == 126 })
        #expect(try frames(of: CloseForm.self).contains { frames in frames.dropLast().contains { $0.opcode == .close } })
    }

    @Test func textsThatAreNoUTF8() throws {
        #expect(
            try all(InvalidUTF8.self) { frames in
                let data = frames.filter { !$0.opcode.isControl }
                return data.contains { !UTF8Validator.isValid($0.payload) }
            })
        #expect(try some(BinaryMessage.self) { $0.opcode == .binary })
        #expect(try some(EmptyMessage.self) { $0.opcode == .text && $0.payload.readableBytes == 0 })
        #expect(try some(BitFlip.self) { $0.rsv != 0 || $0.maskKey == nil || $0.opcode.rawValue == 3 })
    }

    /// What is cut into pieces says the same as what was to be sent.
    @Test func fragmentsMakeTheSameMessage() throws {
        let workshop = try MutatorStage.workshop()
        let whole = WirePlay.frames(of: MutatorStage.lonely, contract: workshop.contract).first?.payload
        let texts = try frames(of: Fragment.self).map { frames in
            frames.filter { !$0.opcode.isControl }.reduce(into: ByteBuffer()) { text, frame in
                var payload = frame.payload
                text.writeBuffer(&payload)
            }
        }
        #expect(texts.allSatisfy { $0 == whole })
        #expect(try all(Fragment.self) { $0.filter { !$0.opcode.isControl }.count > 1 })
        #expect(try some(Fragment.self) { $0.opcode == .ping })
        #expect(try some(Fragment.self) { $0.opcode == .continuation && $0.payload.readableBytes == 0 })
    }

    @Test func charactersAreSplitAndTheWholeIsValid() throws {
        #expect(
            try all(SplitCharacter.self) { frames in
                let data = frames.filter { !$0.opcode.isControl }
                let whole = data.reduce(into: ByteBuffer()) { text, frame in
                    var payload = frame.payload
                    text.writeBuffer(&payload)
                }
                return data.contains { !UTF8Validator.isValid($0.payload) } && UTF8Validator.isValid(whole)
                    && JSON.decode(whole).value != nil
            })
    }

    @Test func corruptionStandsBehindAValidPrefix() throws {
        let workshop = try MutatorStage.workshop()
        var atEnd = 0
        for draw in 0..<200 {
            var dice = MutatorStage.dice("prefix", draw)
            guard let plan = ReservedOpcode().mutate(MutatorStage.lonely, in: workshop, dice: &dice) else { continue }
            // Behind connect, open, message and guard.
            if case .frames = plan.steps[4].verb { atEnd += 1 }
        }
        #expect((150...198).contains(atEnd), "\(atEnd) of 200")
    }

    @Test func earlyFramesStandRightBehindTheRequest() throws {
        let workshop = try MutatorStage.workshop()
        var dice = MutatorStage.dice("early", 1)
        let plan = try #require(EarlyFrames().mutate(MutatorStage.lonely, in: workshop, dice: &dice))
        #expect(plan.steps.map(\.verb.sends) == [false, true, false, true, false])
    }
}

/// Plays a plan by hand against a server that accepts every upgrade and then says nothing.
enum WirePlay {
    /// What goes out on the first connection behind its upgrade request, one buffer a write.
    static func writes(of plan: Plan, contract: Contract) -> [ByteBuffer] {
        let settings = PlayMachine.Settings(
            host: "127.0.0.1:80", contract: contract, seed: 1, key: Minter.developmentKey, epoch: 1_000)
        var machine = PlayMachine(plan, settings: settings)
        var queue: [PlayMachine.Event] = [.begin]
        var writes: [ByteBuffer] = []
        var now: Int64 = 0
        var alarm: Instant?
        for _ in 0..<2_000 {
            if queue.isEmpty {
                guard let due = alarm else { break }
                alarm = nil
                now = max(now, due.nanoseconds)
                queue = [.wake]
            }
            var commands: [PlayMachine.Command] = []
            machine.handle(queue.removeFirst(), at: Instant(nanoseconds: now), into: &commands)
            for command in commands {
                switch command {
                case .connect(let id): queue.append(.connected(id))
                case .write(let id, let bytes):
                    if let request = try? RequestHead(bytes) {
                        queue.append(.received(id, accept(request)))
                    } else if id == 0 {
                        writes.append(bytes)
                    }
                case .wake(let at): alarm = at
                case .reset(let id): queue.append(.ended(id, .reset))
                case .finish(let id): queue.append(.ended(id, .finish))
                case .played, .over: return writes
                case .reads: break
                }
            }
        }
        return writes
    }

    static func frames(of plan: Plan, contract: Contract) -> [Frame] {
        var parser = FrameParser()
        for bytes in writes(of: plan, contract: contract) { parser.feed(bytes) }
        var frames: [Frame] = []
        while case .frame(let frame, _) = parser.next() { frames.append(frame) }
        return frames
    }

    static func request(of plan: Plan, contract: Contract) -> [RequestHead] { requests(plan, contract) }

    private static func accept(_ request: RequestHead) -> ByteBuffer {
        ByteBuffer(
            string: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(AcceptKey.compute(request.value("sec-websocket-key") ?? ""))\r\n\r\n")
    }

    /// The upgrade requests of a plan, each of them refused.
    private static func requests(_ plan: Plan, _ contract: Contract) -> [RequestHead] {
        let settings = PlayMachine.Settings(
            host: "127.0.0.1:80", contract: contract, seed: 1, key: Minter.developmentKey, epoch: 1_000)
        var machine = PlayMachine(plan, settings: settings)
        var queue: [PlayMachine.Event] = [.begin]
        var heads: [RequestHead] = []
        while !queue.isEmpty, heads.count < 20 {
            var commands: [PlayMachine.Command] = []
            machine.handle(queue.removeFirst(), at: Instant(nanoseconds: 0), into: &commands)
            for command in commands {
                if case .connect(let id) = command { queue.append(.connected(id)) }
                guard case .write(let id, let bytes) = command, let head = try? RequestHead(bytes) else { continue }
                heads.append(head)
                let no = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
                queue.append(.received(id, ByteBuffer(string: no)))
            }
        }
        return heads
    }
}
