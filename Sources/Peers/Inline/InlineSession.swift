import Faults
import Journaling
import NIOCore
import Wire

/// One connection of a case: the user's end is a line of the play machine, in memory; the server's end is a socket.
final class InlineSession {
    enum Dialling { case no, yes, abandoned }
    let id: SessionID
    var machine: SessionMachine
    var server: InlineLink?
    var dialling = Dialling.no
    var isOver = false
    var wakeAt: Instant?

    // The user's end.
    /// The machine takes bytes from the user.
    var takesFromUser = true
    var fromUser: [ByteBuffer] = []
    /// The user reads what comes.
    var userReads = true
    var toUser: [ByteBuffer] = []
    var toUserBytes = 0
    var userIn: UInt64 = 0
    var userOut: UInt64 = 0
    /// The user ended its side; told once everything before was taken.
    var userEnded: EndStyle?
    var toldUserEnd = false
    /// We ended our side towards the user.
    var outEnded = false
    /// The machine takes nothing from the user any more.
    var isDiscarding = false
    var isUserGone = false

    /// Bytes for a user that does not read, beyond which the machine is told to wait.
    static let window = 64 << 10

    init(id: SessionID, machine: SessionMachine) {
        self.id = id
        self.machine = machine
    }

    /// Holds nothing any more.
    func forget(_ configuration: SessionConfiguration) {
        machine = SessionMachine(configuration: configuration, id: id)
        server = nil
        isOver = true
        fromUser = []
        toUser = []
        toUserBytes = 0
    }

    /// A fault opened it, and its client is in its machine.
    var isVisit: Bool { machine.guestBytes != nil }
    /// Those that its faults opened; they leave with it.
    var visits: [Int] = []

    var hasNoEnds: Bool { isUserGone && machine.isGuestGone && (server?.isClosed ?? true) && dialling != .yes }

    var totals: Totals {
        let guest = machine.guestBytes
        return Totals(clientIn: guest?.in ?? userIn, clientOut: guest?.out ?? userOut, serverIn: server?.bytesIn ?? 0, serverOut: server?.bytesOut ?? 0)
    }
}
