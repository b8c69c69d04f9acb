#if canImport(Glibc)
    import Glibc
#endif

/// The process's standard streams as bytes: what is not UTF-8 stays as it is.
public enum StandardStreams {
    /// Writes all of it; false where the other side is gone.
    @discardableResult
    public static func write(_ bytes: [UInt8], to descriptor: CInt = 1) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    return false
                }
                done += count
            }
            return true
        }
    }
}

/// Writes one line to standard error.
public func printError(_ text: String) { StandardStreams.write(Array((text + "\n").utf8), to: 2) }

/// Prints at once, also into a pipe.
public func printNow(_ text: String, terminator: String = "\n") {
    StandardStreams.write(Array((text + terminator).utf8))
}

/// Standard input line by line, without the newlines.
public struct StandardInputLines: Sequence, IteratorProtocol {
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    public init() {}

    public mutating func next() -> [UInt8]? {
        var searched = start
        while true {
            if let newline = buffer[searched...].firstIndex(of: 0x0a) {
                defer { start = newline + 1 }
                return Array(buffer[start..<newline])
            }
            searched = buffer.count
            if isAtEnd {
                defer { start = buffer.count }
                return start < buffer.count ? Array(buffer[start...]) : nil
            }
            searched -= start
            buffer.removeFirst(start)
            start = 0
            fill()
        }
    }

    private mutating func fill() {
        let piece = [UInt8](unsafeUninitializedCapacity: 64 * 1024) { space, count in
            count = Swift.max(0, read(0, space.baseAddress, space.count))
        }
        if piece.isEmpty { isAtEnd = true }
        buffer += piece
    }
}
