import Journaling
import Wire

enum JWTFixture {
    /// A token without an end, for servers whose clock is the wall's.
    static func token(_ user: String, key: String) -> String { JWT.sign(["sub": .string(user)], key: Array(key.utf8)) }
}
