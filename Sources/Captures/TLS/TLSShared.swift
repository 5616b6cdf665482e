/// What all TLS connections of an import have in common.
final class TLSShared {
    let next: any ConnectionSink
    var keys: KeyLog
    /// Whether secrets come as they are written; then having none yet is not having no log.
    var following = Following.never
    /// Looks whether more secrets are there by now, before something is given up for want of one.
    var look: () throws(ImportError) -> Void = {}
    let bounds: TLSLayer.Bounds
    /// Bytes that wait for a key, in all connections.
    var held = 0

    enum Following { case never, now, over }

    init(next: any ConnectionSink, keys: KeyLog, bounds: TLSLayer.Bounds) {
        self.next = next
        self.keys = keys
        self.bounds = bounds
    }
}
