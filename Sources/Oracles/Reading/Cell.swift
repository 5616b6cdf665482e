/// A large value behind one reference: copies are cheap until they change. What is known of a session is looked at many
/// times for each message and changed seldom, while some earlier look at it is still in use.
@dynamicMemberLookup
struct Cell<Value: Sendable>: Sendable {
    /// Changed only while nobody else holds it, so it may cross isolation like the value itself.
    private final class Storage: @unchecked Sendable {
        /// Reached through a `Cell` alone, which is a value: two accesses at once are seen when the cell's are compiled, and
        /// need not be looked for a second time when they happen.
        @exclusivity(unchecked) var value: Value
        init(_ value: Value) { unsafe self.value = value }
    }
    private var storage: Storage

    init(_ value: Value) { storage = Storage(value) }

    var value: Value {
        get { unsafe storage.value }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = unsafe Storage(storage.value) }
            yield unsafe &storage.value
        }
    }

    subscript<T>(dynamicMember path: KeyPath<Value, T>) -> T { unsafe storage.value[keyPath: path] }

    subscript<T>(dynamicMember path: WritableKeyPath<Value, T>) -> T {
        get { unsafe storage.value[keyPath: path] }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = unsafe Storage(storage.value) }
            yield unsafe &storage.value[keyPath: path]
        }
    }
}
