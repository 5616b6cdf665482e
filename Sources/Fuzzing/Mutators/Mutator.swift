package import Contracts
package import Journaling
package import Plans


/// Where a mutator works (fuzzing.md, "Mutators"); each level has its share of the energy.
package enum MutatorLevel: String, Sendable, Hashable, CaseIterable {
    case handshake, frame, message, session, schedule
    /// Per cent of all mutations to begin with.
    package var energy: Int {
        switch self {
        case .handshake: 8
        case .frame: 17
        case .message: 30
        case .session: 30
        case .schedule: 15
        }
    }
}

/// One way to change a plan: one file and one line of the registry. The result is a plan that `PlanText` prints and
/// reads again; it may be nonsense to the server, never to us.
package protocol Mutator: Sendable {
    /// `credential-drop`
    static var name: String { get }
    static var level: MutatorLevel { get }
    /// One sentence.
    static var summary: String { get }
    init()
    /// Nil when this plan has nothing that it could change.
    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan?
}

/// What mutators and generators know of the application, prepared once a run. A value, the same for all workers.
package struct Workshop: Sendable {
    package let contract: Contract
    package let recognizer: Recognizer
    package let labeler: Labeler
    /// Words of the contract, of `--dict` and of seed plans, without repeats, in that order.
    package let dictionary: [String]
    /// Names that plans give their users, in order: the first is who plays alone.
    package let users: [String]
    /// Plans of the corpus directories and recordings, in the order of their content hashes; also for splicing.
    package let seeds: [Plan]
    /// Path of the upgrade when the contract names none.
    package let path: String
    /// False where the target's credentials are given: then none can be minted for further users.
    package let canMint: Bool

    package init(
        contract: Contract, dictionary: [String] = [], users: [String], seeds: [Plan] = [],
        path: String = "/", canMint: Bool = true
    ) {
        self.contract = contract
        recognizer = Recognizer(contract)
        labeler = Labeler(contract)
        var known: Set<String> = []
        self.dictionary = (contract.dictionary + dictionary).filter { known.insert($0).inserted }
        self.users = users
        self.seeds = seeds
        self.path = path
        self.canMint = canMint
    }
}
