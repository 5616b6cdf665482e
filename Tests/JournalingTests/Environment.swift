import Glibc

enum Environment {
    /// Set by whoever wants figures and waits for them.
    static var isMeasuring: Bool { unsafe getenv("MISWIRE_MEASURE") != nil }
}
