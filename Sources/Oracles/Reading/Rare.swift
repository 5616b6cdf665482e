/// A large value that is hardly ever there: behind one reference, so that whoever holds it is small.
@propertyWrapper
package struct Rare<Value: Sendable>: Sendable {
    private indirect enum Box: Sendable {
        case none
        case some(Value)
    }
    private var box: Box

    package init(wrappedValue: Value?) { box = wrappedValue.map(Box.some) ?? .none }

    package var wrappedValue: Value? {
        get { if case .some(let value) = box { value } else { nil } }
        set { box = newValue.map(Box.some) ?? .none }
    }
}
