/// Kinds of readings, as a property names those that it hears.
package struct ReadingKinds: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let early = ReadingKinds(rawValue: 1 << 0)
    package static let stray = ReadingKinds(rawValue: 1 << 2)
    package static let success = ReadingKinds(rawValue: 1 << 3)
    package static let error = ReadingKinds(rawValue: 1 << 4)
    package static let recovery = ReadingKinds(rawValue: 1 << 5)
    package static let unread = ReadingKinds(rawValue: 1 << 6)
    package static let conduct = ReadingKinds(rawValue: 1 << 7)
    package static let event = ReadingKinds(rawValue: 1 << 8)
    package static let delivered = ReadingKinds(rawValue: 1 << 9)
    package static let suspected = ReadingKinds(rawValue: 1 << 10)
    package static let credential = ReadingKinds(rawValue: 1 << 11)
    package static let declared = ReadingKinds(rawValue: 1 << 12)
    package static let injection = ReadingKinds(rawValue: 1 << 13)
    package static let target = ReadingKinds(rawValue: 1 << 14)
    package static let misplaced = ReadingKinds(rawValue: 1 << 15)
    /// Something owed that is settled, by what it is.
    package static let greeting = ReadingKinds(rawValue: 1 << 1)
    package static let authentication = ReadingKinds(rawValue: 1 << 16)
    package static let expiry = ReadingKinds(rawValue: 1 << 17)
    package static let origin = ReadingKinds(rawValue: 1 << 18)
    package static let rejection = ReadingKinds(rawValue: 1 << 19)
    package static let run = ReadingKinds(rawValue: 1 << 20)
    package static let answer = ReadingKinds(rawValue: 1 << 21)
    package static let part = ReadingKinds(rawValue: 1 << 22)
    package static let stated = ReadingKinds(rawValue: 1 << 23)
    /// For a property that is being written.
    package static let all = ReadingKinds(rawValue: .max)
}

extension ReadingKinds {
    /// Of one kind: its place among them.
    var number: Int { rawValue.trailingZeroBitCount }
}

extension Reading {
    var kind: ReadingKinds {
        switch self {
        case .early: .early
        case .settled(.greeting, _): .greeting
        case .settled(.authentication, _): .authentication
        case .settled(.expiry, _): .expiry
        case .settled(.origin, _): .origin
        case .settled(.rejection, _): .rejection
        case .settled(.run, _): .run
        case .settled(.answer, _): .answer
        case .settled(.part, _): .part
        case .settled(.stated, _): .stated
        case .stray: .stray
        case .success: .success
        case .error: .error
        case .recovery: .recovery
        case .unread: .unread
        case .conduct: .conduct
        case .event, .sound: .event
        case .delivered: .delivered
        case .misplaced: .misplaced
        case .suspected: .suspected
        case .credential: .credential
        case .declared, .asDeclared: .declared
        case .injection: .injection
        case .target: .target
        }
    }
}
