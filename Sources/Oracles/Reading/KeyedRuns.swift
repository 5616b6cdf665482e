/// The run of each key. An event asks for its own several times.
struct KeyedRuns: Sendable {
    private var numbers: [RunKey: UInt64] = [:]
    private var lately: (key: RunKey, number: UInt64)?

    /// The key's run, which is at hand from now on.
    mutating func find(_ key: RunKey) -> UInt64? {
        if let lately, lately.key == key { return lately.number }
        guard let number = numbers[key] else { return nil }
        lately = (key, number)
        return number
    }

    subscript(key: RunKey) -> UInt64? {
        get { if let lately, lately.key == key { lately.number } else { numbers[key] } }
        set {
            if lately?.key == key { lately = nil }
            numbers[key] = newValue
        }
    }
}
