/// A large value behind one reference: copies are cheap until they change. What is known of a session is looked at many
/// times for each message and changed seldom, while some earlier look at it is still in use.
@dynamicMemberLookup
struct Cell<Value: Sendable>: Sendable {
    /// Changed only while nobody else holds it, so it may cross isolation like the value itself.
    private final class Storage: @unchecked Sendable {
        var value: Value
        init(_ value: Value) { self.value = value }
    }
    private var storage: Storage

    init(_ value: Value) { storage = Storage(value) }

    var value: Value {
        get { storage.value }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.value) }
            yield &storage.value
        }
    }

    subscript<T>(dynamicMember path: KeyPath<Value, T>) -> T { storage.value[keyPath: path] }

    subscript<T>(dynamicMember path: WritableKeyPath<Value, T>) -> T {
        get { storage.value[keyPath: path] }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.value) }
            yield &storage.value[keyPath: path]
        }
    }
}
