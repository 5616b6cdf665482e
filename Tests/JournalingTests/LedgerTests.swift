import Journaling
import NIOCore
import Testing
import Wire

@Suite struct LedgerTests {
    private func fault(_ id: String, on: EntryRef?, applied: Bool = true) -> Entry.Body {
        .fault(
            FaultRecord(
                id: id, kind: "drop", influence: Influence(.message, [.delivery]), tap: .clientOut, on: on, detail: "",
                applied: applied))
    }

    private func sentences(_ tap: Wiretap) -> [String] { tap.entries().ledger.differences.map(\.sentence) }

    @Test func aCleanSessionHasNoDifference() {
        var tap = Wiretap()
        tap.value(.opened(Opened(transport: TransportID(1), peer: "p")))
        tap.upgrade()
        tap.read(.toServer, Wiretap.text("a"))
        tap.read(.toClient, Wiretap.text("b", mask: nil))
        tap.value(.ended(EndRecord(side: .client, style: .finish, by: .peer)))
        tap.value(.ended(EndRecord(side: .server, style: .finish, by: .peer)))
        tap.close()
        let ledger = tap.entries().ledger
        #expect(ledger.differences == [] && ledger.settled == 1 && ledger.unsettled == 0)
    }

    @Test func aLostFrameIsADifference() {
        var tap = Wiretap()
        let ref = tap.piece(.toClient, .frame, Wiretap.text("lost", mask: nil), leaves: false)
        tap.read(.toClient, Wiretap.text("next", mask: nil))
        tap.value(.ended(EndRecord(side: .client, style: .finish, by: .peer)))
        tap.close()
        let differences = tap.entries().ledger.differences
        #expect(differences.map(\.ref) == [ref], "an end that comes later does not explain it")
        #expect(
            differences.map(\.sentence)
                == ["a frame of 6 bytes came in at Sin and never left at Cout; nothing explains it"])
    }

    @Test func aFrameFromNowhereIsADifference() {
        var tap = Wiretap()
        tap.piece(.toClient, .frame, Wiretap.text("made up", mask: nil), arrives: false)
        tap.close()
        #expect(sentences(tap) == ["a frame of 9 bytes left at Cout and never came in at Sin; nothing explains it"])
    }

    @Test func aFaultBeforeOrAfterExplains() {
        for isBefore in [true, false] {
            var tap = Wiretap()
            let ref = EntryRef(session: SessionID(1), ordinal: isBefore ? 2 : 1)
            if isBefore { tap.value(fault("f1", on: ref)) }
            tap.piece(.toClient, .frame, Wiretap.text("dropped", mask: nil), leaves: false)
            if !isBefore { tap.value(fault("f1", on: ref)) }
            tap.close()
            #expect(sentences(tap) == [])
        }
    }

    @Test func aFaultThatWasNotAppliedExplainsNothing() {
        var tap = Wiretap()
        let ref = tap.piece(.toClient, .frame, Wiretap.text("kept", mask: nil), leaves: false)
        tap.value(fault("f1", on: ref, applied: false))
        tap.close()
        #expect(sentences(tap).count == 1)
    }

    /// A ping that waited with the message goes on by itself; the fault that dropped the message names its last frame.
    @Test func aControlFrameBetweenFragmentsIsNoneOfThem() {
        var tap = Wiretap()
        tap.upgrade()
        tap.piece(.toServer, .frame, Wiretap.text("one", fin: false), leaves: false)
        tap.piece(.toServer, .frame, Wiretap.frame(.continuation, ByteBuffer(string: "two"), fin: false, mask: 5), leaves: false)
        let ping = tap.piece(.toServer, .frame, Wiretap.frame(.ping, ByteBuffer(string: "p"), mask: 5), leaves: false)
        let last = tap.piece(.toServer, .frame, Wiretap.frame(.continuation, ByteBuffer(string: "three"), mask: 5), leaves: false)
        tap.value(fault("f1", on: last))
        tap.piece(.toServer, .frame, Wiretap.frame(.ping, ByteBuffer(string: "p"), mask: 5), arrives: false, Provenance(source: ping))
        tap.close()
        #expect(sentences(tap) == [])
        #expect(tap.entries { $0.mode = .raw }.ledger.differences.map(\.sentence) == [])
    }

    @Test(arguments: [0, 1, 2]) func fragmentsStandAndFallTogether(named: Int) {
        var tap = Wiretap()
        var refs: [EntryRef] = []
        for index in 0..<3 {
            let text = Wiretap.text("\(index)", fin: index == 2, opcode: index == 0 ? .text : .continuation, mask: nil)
            refs.append(tap.piece(.toClient, .frame, text, leaves: false))
        }
        tap.value(fault("f1", on: refs[named]))
        let lost = tap.piece(.toClient, .frame, Wiretap.text("other", mask: nil), leaves: false)
        tap.close()
        #expect(tap.entries().ledger.differences.map(\.ref) == [lost])
    }

    @Test func whatLeftAsSomethingElseIsExplainedByItsSource() {
        var here = Wiretap(1)
        var there = Wiretap(2)
        let ref = here.piece(.toServer, .frame, Wiretap.text("mine"), leaves: false)
        here.close()
        there.piece(
            .toServer, .frame, Wiretap.text("mine"), arrives: false, Provenance(source: ref, faults: ["f1"]))
        there.close()
        var ledger = Ledger()
        // The crossing left before the first session closed.
        for entry in here.entries().dropLast() + there.entries() + here.entries().suffix(1) { ledger.observe(entry) }
        #expect(ledger.differences == [] && ledger.settled == 2)
    }

    @Test func aChangeWithoutAFaultIsADifference() {
        for text in ["same", "changed"] {
            var tap = Wiretap()
            let ref = tap.piece(.toServer, .frame, Wiretap.text("same"), leaves: false)
            tap.value(.recoded(Recoded(on: ref, reason: "context")))
            tap.piece(.toServer, .frame, Wiretap.text(text), arrives: false, Provenance(source: ref))
            tap.close()
            // `recoded` explains that it stayed, but never that it says something else.
            #expect(sentences(tap).count == (text == "same" ? 0 : 1), "\(text)")
        }
    }

    /// A client that begins a message inside another: a fault took that one, and handed back the rest of the first.
    @Test(arguments: ["rest", "changed"]) func aFrameIsTheSameWhateverItIsJoinedWith(back: String) {
        var tap = Wiretap()
        tap.read(.toServer, Wiretap.text("first ", fin: false))
        let taken = tap.piece(.toServer, .frame, Wiretap.text("within"), leaves: false)
        tap.value(fault("f1", on: taken))
        let source = tap.piece(.toServer, .frame, Wiretap.text("rest", opcode: .continuation), leaves: false)
        tap.piece(.toServer, .frame, Wiretap.text(back, opcode: .continuation), arrives: false, Provenance(source: source))
        tap.close()
        #expect(sentences(tap).count == (back == "rest" ? 0 : 1))
    }

    @Test func theDestinationsEndExplainsWhatCameAfterIt() {
        var tap = Wiretap()
        tap.upgrade()
        tap.value(.ended(EndRecord(side: .client, style: .reset, by: .peer)))
        tap.piece(.toClient, .frame, Wiretap.text("late", mask: nil), leaves: false)
        tap.close()
        #expect(sentences(tap) == [])
    }

    @Test func aServerThatIsNotThereExplainsTheRequestAndOurAnswer() {
        var tap = Wiretap()
        tap.piece(.toServer, .head, Wiretap.head(["GET / HTTP/1.1"]), leaves: false)
        tap.value(.ended(EndRecord(side: .server, style: .reset, by: .peer, cause: "connection refused")))
        tap.piece(.toClient, .head, Wiretap.head(["HTTP/1.1 502 Bad Gateway"]), arrives: false)
        tap.close()
        #expect(sentences(tap) == [])
    }

    @Test func aHeadOverTheLimitIsExplainedByIt() {
        var tap = Wiretap()
        tap.piece(.toServer, .bytes(.preamble), ByteBuffer(string: "GET /xxxxxxxx"), leaves: false)
        tap.value(.limit(LimitRecord(id: "L1", detail: "head too large")))
        tap.piece(.toClient, .head, Wiretap.head(["HTTP/1.1 431 Too Large"]), arrives: false)
        tap.close()
        #expect(sentences(tap) == [])
    }

    @Test func whatIsNotLiftedStillHasToLeave() {
        var tap = Wiretap()
        tap.upgrade()
        tap.piece(.toServer, .frame, Wiretap.text("big"), leaves: false)
        tap.value(.limit(LimitRecord(id: "L4", detail: "", direction: .toServer)))
        tap.close()
        #expect(sentences(tap).count == 1)
    }

    @Test func theSocketsHaveTheLastWord() {
        for (change, expected) in [(0, 0), (1, 1), (-1, 1)] {
            var tap = Wiretap()
            tap.upgrade()
            var totals = tap.totals
            totals.clientIn = UInt64(Int(totals.clientIn) + change)
            tap.value(.closed(totals))
            #expect(tap.entries().ledger.count == expected)
        }
    }

    @Test func undeliveredBytesMayBeMissingAtTheSocket() {
        for (undelivered, expected) in [(UInt64(3), 1), (4, 0), (5, 0)] {
            var tap = Wiretap()
            tap.upgrade()
            tap.read(.toClient, Wiretap.text("1234567890", mask: nil))
            tap.value(.ended(EndRecord(side: .client, style: .reset, by: .peer, undelivered: undelivered)))
            var totals = tap.totals
            totals.clientOut -= 4
            tap.value(.closed(totals))
            #expect(tap.entries().ledger.count == expected)
        }
    }

    @Test func sessionsThatNeverCloseAreNotJudged() {
        var tap = Wiretap()
        tap.piece(.toClient, .frame, Wiretap.text("?", mask: nil), leaves: false)
        let ledger = tap.entries().ledger
        #expect(ledger.differences == [] && ledger.unsettled == 1)
    }

    @Test func memoryStaysBounded() {
        var ledger = Ledger()
        for ordinal in 1...70_000 {
            let frame = FrameRecord(
                passage: Passage(.toClient, in: .zero, out: nil), frame: Frame(opcode: .text, payload: ByteBuffer(string: "x")),
                message: nil)
            ledger.observe(
                Entry(
                    instant: .zero, loop: 0, sequence: 0,
                    ref: EntryRef(session: SessionID(1), ordinal: UInt32(ordinal)), body: .frame(frame)))
        }
        ledger.observe(
            Entry(
                instant: .zero, loop: 0, sequence: 0, ref: EntryRef(session: SessionID(1), ordinal: 70_001),
                body: .closed(Totals(clientIn: 0, clientOut: 0, serverIn: 210_000, serverOut: 0))))
        #expect(ledger.differences.count == 1_000 && ledger.count == 65_537)
    }
}
