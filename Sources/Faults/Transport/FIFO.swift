/// First in, first out, in one array.
struct FIFO<Element: Sendable>: Sendable {
    private var items: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }
    var first: Element? {
        get { isEmpty ? nil : items[head] }
        set { if let newValue, !isEmpty { items[head] = newValue } }
    }

    /// - Parameter place: from 0, which is the first.
    subscript(place: Int) -> Element {
        get { items[head + place] }
        set { items[head + place] = newValue }
    }

    mutating func append(_ item: Element) { items.append(item) }

    @discardableResult
    mutating func popFirst() -> Element? {
        guard let item = first else { return nil }
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: items.capacity <= 64)
            head = 0
        } else if head >= 64, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return item
    }

    mutating func remove(at place: Int) {
        if place == 0 { popFirst() } else { items.remove(at: head + place) }
    }
}
