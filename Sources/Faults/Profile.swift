package import Contracts
package import Journaling
package import Wire

/// Which faults act on whom, when, and what the far side is expected to do about it (faults.md, format version 1).
package struct Profile: Sendable {
    package var name: String
    package var about: String = ""
    /// The file's text, for the recording's header; `hash` is its first 6 hex digits.
    package var text: String = ""
    package var hash: String = ""
    /// Name or file of the contract it was written for, when it says so.
    package var contract: String?
    package var seed: UInt64?
    package var scope = Scope()
    package var faults: [FaultRule] = []

    package init(name: String) { self.name = name }

    /// Values of variables that its settings name: secrets, wherever they stand.
    package var secrets: [String] { faults.flatMap(\.settings.secrets) }

    /// Blast radius, enforced by the session machine (trust.md T24).
    package struct Scope: Sendable {
        /// The profile whose budget it is, where several stand beside each other.
        package var name = ""
        /// Empty = all.
        package var paths: [Glob] = []
        package var users: [Glob] = []
        /// 0...1 of the connections.
        package var share: Double = 1
        /// Faults stop by themselves; nil = never.
        package var expires: Duration? = .seconds(1800)
        package var perConnection: Int?
        package var total: Int?
        /// Keys of it that the profile writes; the rest is by default.
        package var written: Set<String> = []
        package init() {}

        /// It says whom faults concern, and how much of them there is, and both are less than everything.
        package var limitsItself: Bool {
            let whom = !users.isEmpty && limitsUsers || !paths.isEmpty && !Self.covers(paths, nil) || share < 1
            return whom && (total != nil || written.contains("expires") && expires != nil)
        }

        /// - Parameter name: nil = whose it is nobody knows.
        package func covers(user name: String?) -> Bool { Self.covers(users, name) }

        /// It leaves users out.
        package var limitsUsers: Bool { !covers(user: nil) }

        static func covers(_ globs: [Glob], _ name: String?) -> Bool {
            globs.isEmpty || globs.contains { glob in name.map(glob.matches) ?? (glob.text == "*" || glob.text == "/**") }
        }
    }
}

/// One entry of a profile's `faults`.
package struct FaultRule: Sendable {
    package var id: String
    /// Name in the registry: `drop-auth`.
    package var kind: String
    package var settings: Settings
    package var when: Trigger
    package var expect: Expectation?
    /// Of the profile that it comes from, where several stand beside each other; nil = the profile's.
    package var scope: Profile.Scope?
    package init(id: String, kind: String, settings: Settings, when: Trigger, expect: Expectation? = nil) {
        self.id = id
        self.kind = kind
        self.settings = settings
        self.when = when
        self.expect = expect
    }
}

/// Who, when and how often: all that are given must hold (faults.md, `when`).
package struct Trigger: Sendable, Equatable {
    /// `nth 2`, `every 3`, `first 10`, `share 5%`.
    package enum Ordinal: Sendable, Hashable {
        case nth(Int), every(Int), first(Int), share(Double)
    }
    package enum Bound: Sendable, Equatable {
        case time(Duration), messages(Int), event(Pattern)
    }
    package var connection: Ordinal?
    package var user: Glob?
    package var path: Glob?
    package var to: Side?
    package var message: Ordinal?
    package var match: Pattern?
    package var opcode: Opcode?
    package var after: Bound?
    package var until: Bound?
    /// A run of the user is open.
    package var duringRun = false
    package init() {}
}
