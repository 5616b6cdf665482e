/// What all TLS connections of an import have in common.
final class TLSShared {
    let next: any ConnectionSink
    var keys: KeyLog
    let bounds: TLSLayer.Bounds
    /// Bytes that wait for a key, in all connections.
    var held = 0

    init(next: any ConnectionSink, keys: KeyLog, bounds: TLSLayer.Bounds) {
        self.next = next
        self.keys = keys
        self.bounds = bounds
    }
}
