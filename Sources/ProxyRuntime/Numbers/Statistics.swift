package import Journaling

/// What a proxy run did, in numbers (looks.md section 2, the table at the end). Nil where nothing was measured.
package struct Statistics: Sendable, Equatable {
    package var opened: UInt64 = 0
    package var connected: UInt64 = 0
    package var refused: UInt64 = 0
    package var failed: UInt64 = 0
    package var opaque: UInt64 = 0
    /// Data messages each way; nil when neither recorder nor oracle was on, since then nobody counts.
    package var messagesToServer: UInt64?
    package var messagesToClient: UInt64?
    package var bytes: UInt64 = 0
    /// Taken from clients and from servers: frame by frame where traffic is kept, else when a session is over.
    package var bytesToServer: UInt64 = 0
    package var bytesToClient: UInt64 = 0
    /// Fault id to how often it acted, in the order in which the ids first did.
    package var faults: [FaultCount] = []
    /// From the client's connect to the 101 handed to it.
    package var connect = Histogram()
    /// Between taking bytes from one socket and having offered them to the other, a sample of reads, faults apart.
    package var added = Histogram()
    /// From a request at the server's side to the first message back.
    package var answer = Histogram()
    package var heldMessages: UInt64 = 0
    package var held: Duration = .zero
    package var limits: UInt64 = 0

    package init() {}

    package struct FaultCount: Sendable, Equatable {
        package var id: String
        package var kind: String
        package var acted: UInt64
        package init(id: String, kind: String, acted: UInt64) {
            self.id = id
            self.kind = kind
            self.acted = acted
        }
    }

    package var faultsActed: UInt64 { faults.reduce(0) { $0 + $1.acted } }
}
