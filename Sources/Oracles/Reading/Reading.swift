package import Contracts
package import Journaling
package import Wire

/// What the `Reader` made of an entry, or of a deadline that passed: the only input of properties. What tells more than that
/// all is well is behind one reference, since several properties hear it.
package enum Reading: Sendable {
    /// Bytes of the server that no accept allows.
    indirect case early(Early)
    /// Something was owed and is settled, once each.
    indirect case settled(Obligation, Fate)
    /// An event that the run's automaton does not allow, or that nobody asked for.
    indirect case stray(Stray)
    /// An event of a run's part that is out of place.
    indirect case misplaced(Misplaced)
    /// A success event that only a must-reject request can have caused.
    indirect case success(Success)
    /// An error event, with what is wrong with it.
    indirect case error(ErrorReading)
    /// A valid request after an error on its connection, settled.
    indirect case recovery(Recovery)
    /// A message of the server that could not be read.
    indirect case unread(String)
    /// How the server kept to the protocol on one connection, once each.
    indirect case conduct(Conducted)
    /// One user's words seem to have come to another; a sentence.
    indirect case suspected(String)
    /// Something that the server said to somebody who brought a credential that nobody guesses.
    indirect case credential(Disclosed)
    /// Whether an answer bore a line that our request wrote.
    indirect case injection(Injected)
    /// What the target takes, or that nobody is served.
    indirect case target(TargetReading)
    /// One event: whose content and whose identifiers it carries.
    indirect case event(EventReading)
    /// The same of an event in which nothing is out of place or in doubt, as of nearly all. Such a reading needs no reference.
    case sound(SoundEvent)
    /// A message of the server that is not declared, or not as it is.
    indirect case declared(DeclaredReading)
    /// One that is.
    case asDeclared
    /// How a numbered event stands to those before it.
    indirect case delivered(Delivered)

    package struct Delivered: Sendable {
        package enum Outcome: Sendable {
            case inOrder
            /// That number came behind this one: others are missing between them, or it is late.
            case gap(after: Int, number: Int, Evidence)
            /// It came before, on this connection or, with a cursor, by what the client said.
            case again(number: Int, cursor: String?, Evidence)
            /// Lost, and the server says so.
            case told(String)
            case doubtful(String)
            /// A resume began right behind its cursor, or the server said that it cannot.
            case resumed
            case incomplete(cursor: Int, first: Int, Evidence)
            case unresumed(String)
            /// The answer of a history lacks a run that ended well.
            case absent(run: String, Evidence)
        }
        package var user: String
        package var type: String
        /// The identifier that has a count of its own: `thread`.
        package var stream: String
        package var outcome: Outcome
        package var line: Line
    }

    package struct Conducted: Sendable {
        package enum Outcome: Sendable {
            case kept
            /// Its own frame breaks that rule.
            case wrote(FrameViolation, Evidence)
            /// It went on behind a frame of the client that breaks that rule.
            case took(FrameViolation, Evidence)
            /// It owed a reaction that did not come within that time.
            case ignored(Reaction, within: Duration, Evidence)
            /// It failed the connection over a text that it had to take.
            case rejectedText(code: Int, Evidence)
            case undecided(String)
        }
        package enum Reaction: Sendable, Hashable {
            case pong, close
            /// The connection failed.
            case failure(FrameViolation)
        }
        package var user: String
        package var outcome: Outcome
        /// What its bytes look like, where they are no frame of anybody: `HTTP text`.
        package var looks: String?
    }

    package struct Injected: Sendable {
        package enum Outcome: Sendable {
            case kept
            case injected(Evidence)
            case undecided(String)
        }
        package var user: String
        /// The field's name; empty when there is none.
        package var line: String
        package var outcome: Outcome
    }

    package enum TargetReading: Sendable {
        /// From here on that user is the sentinel.
        case sentinel(String)
        case gone(String, Evidence)
        /// Nothing grew without end or beyond its bound.
        case bounded
        /// Checkpoints at which nobody was connected.
        case tooFew(Int)
        /// A figure that grew with the sessions, all of which are over.
        case grows(String, from: Int64, to: Int64, sessions: Int, Evidence)
        /// Bytes of memory.
        case peak(grown: UInt64, allowed: UInt64, sent: UInt64, Evidence)
        /// A run of the sentinel: how long it took, and why that may be nobody's fault.
        case served(String, took: Duration, isAlone: Bool, doubt: String?, Evidence)
    }

    package struct DeclaredReading: Sendable {
        package enum Problem: Sendable {
            case malformed(String)
            /// What it calls itself, when it does.
            case undeclared(String?)
            case shape(ShapeViolation)
        }
        package var user: String
        package var type: String
        package var line: Line
        package var problem: Problem
        package var evidence: Evidence
        /// Why the problem may be none, when there is one.
        package var doubt: String?
    }

    package struct Disclosed: Sendable {
        package var user: String
        /// Nil: it held no credential.
        package var found: Found?

        package struct Found: Sendable {
            /// `a message`, `a close reason`, as its facts say.
            package var place: String
            /// Of the message; `<close>`, `<answer>` where there is none.
            package var type: String
            /// `‹jwt:a1›`
            package var tag: String
            /// Whose credential, where that is known.
            package var owner: String?
            package var evidence: Evidence
        }
    }

    package struct Early: Sendable {
        package var what: String
        package var type: String
        package var evidence: Evidence
    }

    package struct Stray: Sendable {
        package enum Kind: Sendable, Hashable {
            case nobodyAsked
            case afterDone
            /// The state that has no edge for it.
            case noEdge(String)
            /// `run` is the request's name then.
            case answeredTwice
        }
        package var kind: Kind
        package var run: String
        package var key: String?
        package var type: String
        package var user: String
        package var evidence: Evidence
        package var line: Line
        /// Why it may be allowed all the same.
        package var doubt: String?
    }

    package struct Misplaced: Sendable {
        package enum Kind: Sendable, Hashable {
            /// It begins in a state that is not for it.
            case notIn(String)
            case beginsAgain
            case endsAgain
            case neverBegan
            /// What must stand between its beginning and its end.
            case outside
        }
        package var kind: Kind
        package var part: String
        package var key: String?
        package var run: String
        package var type: String
        package var user: String
        package var evidence: Evidence
        package var line: Line
        /// Why it may be in its place all the same.
        package var doubt: String?
    }

    package struct Success: Sendable {
        package var request: RequestCard
        package var event: String
        /// True: by a link path or a key. False: by age only, so that it is E3 unless reruns confirm it.
        package var byKey: Bool
        package var evidence: Evidence
    }

    package struct ErrorReading: Sendable {
        package var problem: Problem?
        package var evidence: Evidence?
        package enum Problem: Sendable {
            /// The field test that fails: `timestamp: <number>`.
            case shape(String, caret: Finding.Caret?)
            case kind(found: String, expected: String)
            case order(older: String, younger: String)
            case context(path: String, expected: String, found: String?)
        }
        package var user: String
        package var line: Line
        /// Why the problem may be none, when there is one.
        package var doubt: String?
    }

    package struct Recovery: Sendable {
        package enum Outcome: Sendable {
            case worked
            /// What came instead.
            case failed(String, Evidence)
            case cut(String)
            case undecided(String)
        }
        package var user: String
        package var outcome: Outcome
        package var line: Line
    }

    /// What was looked at in it, and found well.
    package struct SoundEvent: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Its content: canaries of others are known.
        package static let hasForeignCanaries = SoundEvent(rawValue: 1)
        /// Its owner.
        package static let isOwned = SoundEvent(rawValue: 2)
        /// What belongs together in it.
        package static let bondsKept = SoundEvent(rawValue: 4)
    }

    package struct EventReading: Sendable {
        package var type: String
        package var user: String
        /// Whether anything could be foreign here: canaries of others are known.
        package var hasForeignCanaries: Bool
        @Rare package var canary: Foreign? = nil
        @Rare package var identity: Foreign? = nil
        /// Whether what belongs together in it does.
        var bonds = Bonds.none
        /// Whether its owner could be told at all.
        package var isOwned: Bool
        /// Told when an owed error did not come and this one was left over: the event itself was counted before.
        package var isJoined = false
        /// The run of another user that it names.
        package var owningRun: UInt64?
        @Rare package var evidence: Evidence? = nil
        /// Why the canary may be known to its user all the same.
        package var doubt: String?
        /// Why its owner may be the one who got it.
        package var ownerDoubt: String?

        indirect enum Bonds: Sendable {
            /// Nothing is declared of what it names.
            case none
            case kept
            case doubtful(String)
            case broken(Bindings.Breach)
        }

        package struct Foreign: Sendable {
            package enum Kind: Sendable, Hashable { case canary, run, `is`, within, error }
            package var kind: Kind
            package var owner: String
            /// `user_id`, `thread_id`, the run's name.
            package var name: String
            package var value: String
            package var line: Line
        }
    }
}

/// A request as findings speak of it.
package struct RequestCard: Sendable, Hashable {
    package var number: UInt64
    package var user: String
    /// `malformed JSON`, `an unknown message`, `agent_started`
    package var phrase: String
    /// For the fingerprint: `<malformed>`, `agent_started`.
    package var type: String
    package var at: Instant
    package var line: Line
}

/// A part of a run as findings speak of it.
package struct PartCard: Sendable, Hashable {
    /// `tool`
    package var name: String
    package var run: String
    package var key: String?
    /// What ends it: `tool_completed`.
    package var end: String
    package var user: String
    package var line: Line
}

/// Something that the server owes.
package enum Obligation: Sendable {
    case greeting(name: String, user: String, line: Line)
    case authentication(state: Facts.State, user: String, line: Line)
    /// Silence of the application once a credential has ended.
    case expiry(user: String, line: Line)
    /// A refusal of that Origin.
    case origin(String, user: String)
    case rejection(RequestCard, expected: String)
    case run(name: String, key: String?, state: String, expected: String, user: String, line: Line)
    case answer(RequestCard, expected: String)
    /// The end of a part of a run.
    case part(PartCard)
    /// What a profile expects of a fault.
    case stated(StatedCard)
}

/// How it was settled.
package enum Fate: Sendable {
    case kept(String)
    case missed(bound: Duration, Evidence)
    /// It came to a violating end before its bound: the phrase says how.
    case broken(String, edge: String, Evidence)
    /// Our fault ended it.
    case cut(String)
    case undecided(String)
}
