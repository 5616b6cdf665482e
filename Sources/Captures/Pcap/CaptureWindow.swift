import Glibc

/// A stretch of a file in memory that moves forward: the only part of a capture that is ever held (trust.md T28). A read
/// and no map, because a file that is cut while it is mapped would end the process.
@safe struct CaptureWindow: ~Copyable {
    private let descriptor: Int32
    let path: String
    private var memory: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// Bytes of the file before those that are readable.
    private(set) var offset: UInt64 = 0
    static let size = 4 << 20

    /// - Parameter size: bytes held at first; more when one block needs them.
    init(path: String, size: Int = CaptureWindow.size) throws(ImportError) {
        self.path = path
        var number: Int32 = -1
        repeat {
            // Without O_NONBLOCK a FIFO of that name would hang us.
            number = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        } while number < 0 && errno == EINTR
        guard number >= 0 else { throw CaptureWindow.failure(path, "the capture cannot be opened") }
        descriptor = number
        unsafe memory = .allocate(byteCount: max(size, 64), alignment: 16)
        _ = posix_fadvise(number, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit {
        unsafe memory.deallocate()
        _ = Glibc.close(descriptor)
    }

    /// What is there now. Valid until the window is asked to move.
    @inline(__always)
    var readable: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: memory[start..<end]) }
    @inline(__always)
    var count: Int { end &- start }

    /// Whether `count` bytes are readable after reading more where needed; false: the file ends before.
    @inline(__always)
    mutating func demand(_ count: Int) throws(ImportError) -> Bool {
        if end &- start >= count { return true }
        return try fill(count)
    }

    @inline(__always)
    mutating func drop(_ count: Int) {
        let step = min(max(0, count), end &- start)
        start &+= step
        offset &+= UInt64(step)
    }

    /// Passes over bytes that nobody needs, however many; false: the file ends before.
    mutating func skip(_ count: UInt64) throws(ImportError) -> Bool {
        var rest = count
        while rest > 0 {
            guard try demand(1) else { return false }
            let step = Int(min(rest, UInt64(self.count)))
            drop(step)
            rest -= UInt64(step)
        }
        return true
    }

    private mutating func fill(_ count: Int) throws(ImportError) -> Bool {
        move()
        if unsafe count > memory.count { grow(count) }
        while end < count, !isAtEnd {
            let got = unsafe Glibc.read(descriptor, memory.baseAddress.map { unsafe $0 + end }, memory.count - end)
            if got > 0 {
                end += got
            } else if got == 0 {
                isAtEnd = true
            } else if errno != EINTR {
                throw CaptureWindow.failure(path, "the capture cannot be read on")
            }
        }
        return end >= count
    }

    private mutating func move() {
        guard start > 0 else { return }
        if let base = unsafe memory.baseAddress { unsafe memmove(base, base + start, end - start) }
        end -= start
        start = 0
    }

    private mutating func grow(_ count: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<end]))
        unsafe memory.deallocate()
        unsafe memory = larger
    }

    private static func failure(_ path: String, _ sentence: String) -> ImportError {
        let code = errno
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return ImportError(
            place: path, sentence: sentence, found: reason,
            remedy: code == ENOENT
                ? "name a file that exists"
                : code == EISDIR ? "name a file" : "give yourself access or name another file")
    }
}
