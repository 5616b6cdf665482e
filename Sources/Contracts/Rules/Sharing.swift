/// Content that belongs to more than one user (contract.md, `sharing`).
package struct SharingRules: Sendable {
    /// Events for all users, by name or glob: what they say is nobody's secret.
    package var broadcast: [MessageName] = []
    package var rooms: [Room] = []
    package var line: Line = 0
    package init() {}

    /// An identifier of several users.
    package struct Room: Sendable {
        /// Its name in `identity.ids`.
        package var id: String
        /// Requests that make the sender's user a member of the room they name, until a request of `leave` does.
        package var join: [MessageName]
        package var leave: [MessageName]
        package var line: Line
        package init(id: String, join: [MessageName], leave: [MessageName], line: Line) {
            self.id = id
            self.join = join
            self.leave = leave
            self.line = line
        }
    }

    package func isBroadcast(name: String?, type: String?) -> Bool {
        broadcast.contains { $0.names(isRequest: false, name: name, type: type) }
    }
}
