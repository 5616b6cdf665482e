import Journaling
import NIOCore
import Wire

/// Records: whether one can be read yet, and what it says.
extension TLSFlow {
    func read(_ direction: TLSDirection) throws(ImportError) {
        while !direction.isDone, direction.need == nil {
            switch TLSRecordHeader.peek(direction.input) {
            case .partial: return
            case .wrong: return try lose(direction, .noTLS(direction.side))
            case .header(let header):
                guard direction.input.readableBytes - TLSRecordHeader.size >= header.length else { return }
                guard try isReady(direction, header) else { continue }
                direction.input.moveReaderIndex(forwardBy: TLSRecordHeader.size)
                guard let body = direction.input.readSlice(length: header.length) else { return }
                direction.records &+= 1
                try handle(header, body, direction)
            }
        }
    }

    /// False: it waits now, or is lost.
    private func isReady(_ direction: TLSDirection, _ header: TLSRecordHeader) throws(ImportError) -> Bool {
        switch direction.phase {
        case .open, .searching: return true
        case .closed, .lost: return false
        case .finished:
            // A ChangeCipherSpec for the sake of middleboxes is never encrypted.
            return header.kind == .changeCipherSpec ? true : try installTraffic(direction)
        case .clear: break
        }
        if direction.side == .server, clientHello == nil { return wait(direction, for: .hello(.client)) }
        guard let hello = serverHello else {
            guard direction.side == .client else { return true }
            let isRetrying = retries.asked && !retries.answered
            let mayBeSealed = header.kind == .application || direction.sawChangeCipherSpec && !retries.asked
            return !mayBeSealed || isRetrying || wait(direction, for: .hello(.server))
        }
        if hello.isTLS13 { return header.kind == .application ? try installHandshake(direction) : true }
        return direction.sawChangeCipherSpec ? try installMaster(direction, hello) : true
    }

    func wait(_ direction: TLSDirection, for need: TLSDirection.Need) -> Bool {
        direction.need = need
        return false
    }

    private func handle(
        _ header: TLSRecordHeader, _ body: ByteBuffer, _ direction: TLSDirection
    ) throws(ImportError) {
        switch direction.phase {
        case .clear, .finished: try handleClear(header, body, direction)
        case .open(let opener, let isHandshake):
            // RFC 8446 section 5: dropped wherever it stands.
            if header.kind == .changeCipherSpec, serverHello?.isTLS13 == true { return }
            let plain: TLSPlain
            do { plain = try opener.open(header, body) } catch { return try failed(direction, header, error) }
            try saySkipped(direction)
            try handleOpened(plain, direction, isHandshake: isHandshake)
        case .searching(let opener):
            guard header.kind == .application, let plain = try? opener.open(header, body) else { return }
            direction.phase = .open(opener, isHandshake: false)
            try handleOpened(plain, direction, isHandshake: false)
        case .closed, .lost: break
        }
    }

    private func failed(
        _ direction: TLSDirection, _ header: TLSRecordHeader, _ error: RecordOpener.Failure
    ) throws(ImportError) {
        switch error {
        case .library(let error): try lose(direction, .library(error))
        case .unauthentic:
            guard direction.maySkip, header.kind == .application else {
                return try lose(direction, .unauthentic(direction.side, record: direction.records))
            }
            skip(header, direction)
        }
    }

    private func skip(_ header: TLSRecordHeader, _ direction: TLSDirection) {
        direction.skipped.records += 1
        direction.skipped.bytes += header.length
    }

    /// Early data is over with the first record that opens.
    private func saySkipped(_ direction: TLSDirection) throws(ImportError) {
        direction.maySkip = false
        let (records, bytes) = direction.skipped
        guard records > 0 else { return }
        direction.skipped = (0, 0)
        let isAccepted = acceptsEarlyData ?? !retries.asked
        try say(.earlyData(records: records, bytes: bytes, isAccepted: isAccepted))
        // Data that the server refused comes again under the later keys.
        if isAccepted { try passGap(direction) }
    }

    private func handleClear(
        _ header: TLSRecordHeader, _ body: ByteBuffer, _ direction: TLSDirection
    ) throws(ImportError) {
        switch header.kind {
        case .changeCipherSpec: direction.sawChangeCipherSpec = true
        case .alert: try handleAlert(body, direction)
        case .handshake: try handleHandshake(body, direction, .clear)
        case .application:
            // Early data in front of the second hello, which no server reads.
            guard direction.side == .client, retries.asked, !retries.answered else {
                return try lose(direction, .outOfPlace(direction.side))
            }
            skip(header, direction)
        case .heartbeat: break
        }
    }

    private func handleOpened(
        _ plain: TLSPlain, _ direction: TLSDirection, isHandshake: Bool
    ) throws(ImportError) {
        switch plain.kind {
        case .application:
            if isHandshake { return try lose(direction, .outOfPlace(direction.side)) }
            guard plain.content.readableBytes > 0 else { return }
            didOpen = true
            try shared.next.bytes(connection.id, from: direction.side, plain.content, at: direction.time)
        case .handshake: try handleHandshake(plain.content, direction, isHandshake ? .sealed : .established)
        case .alert: try handleAlert(plain.content, direction)
        case .changeCipherSpec: try giveUp(.renegotiation)
        case .heartbeat, nil: break
        }
    }

    private func handleAlert(_ content: ByteBuffer, _ direction: TLSDirection) throws(ImportError) {
        var content = content
        guard let level = content.readInteger(as: UInt8.self), let description = content.readInteger(as: UInt8.self)
        else { return try lose(direction, .outOfPlace(direction.side)) }
        if description == 0 {
            direction.phase = .closed
            direction.input = ByteBuffer()
            return try passEnd(direction, .finish)
        }
        alerts += 1
        guard alerts <= shared.bounds.alerts else { return }
        try say(.alert(direction.side, level: level, description: description))
    }
}
