import Base
import Records

/// Walks the batches of a segment file in order, in bounded memory, however long a batch claims to be.
struct BatchScanner: ~Copyable {
    enum Step {
        case batch(BatchHeader, position: Int64)
        /// The scan stands at `position`, where no sound batch begins.
        case flaw(position: Int64, reason: String)
        case end
    }

    private let file: any File
    private let end: Int64
    private let checksCRC: Bool
    private let window: UnsafeMutableRawBufferPointer
    private var windowStart: Int64 = 0
    private var windowCount = 0
    /// Where the next batch begins.
    private(set) var position: Int64

    /// Scans from `position` up to `end`. With `checkingCRC` every byte is read, else only headers, and short batches come in one read.
    init(_ file: any File, from position: Int64, to end: Int64, checkingCRC: Bool, window: ByteCount? = nil) {
        self.file = file
        self.position = position
        self.end = end
        self.checksCRC = checkingCRC
        let bytes = window ?? (checkingCRC ? .kib(256) : .kib(8))
        self.window = .allocate(byteCount: Int(max(128, min(Int64(bytes.bytes), end - position))), alignment: 16)
    }

    deinit { window.deallocate() }

    mutating func next() throws(FileError) -> Step {
        guard position < end else { return .end }
        guard end - position >= BatchLayout.headerBytes else {
            return .flaw(position: position, reason: "\(end - position) bytes, too few for a batch header")
        }
        try fill(at: position, count: BatchLayout.headerBytes)
        guard Int(windowStart) + windowCount - Int(position) >= BatchLayout.headerBytes else {
            return .flaw(position: position, reason: "the file ends within a batch header")
        }
        let header: BatchHeader
        do throws(RecordError) { header = try BatchHeader(slice(at: position)) } catch {
            return .flaw(position: position, reason: error.message)
        }
        guard Int64(header.byteCount) <= end - position else {
            return .flaw(
                position: position,
                reason: "batch at offset \(header.baseOffset) has \(header.byteCount) bytes, \(end - position) are left"
            )
        }
        if checksCRC {
            let sum = try checksum(of: header)
            guard sum == header.crc else {
                return .flaw(
                    position: position,
                    reason: "batch at offset \(header.baseOffset) has CRC \(sum), its header says \(header.crc)")
            }
        }
        let start = position
        position += Int64(header.byteCount)
        return .batch(header, position: start)
    }

    /// The header that stands where the scan goes on, without moving; nil at the end, and where none stands.
    mutating func peek() throws(FileError) -> BatchHeader? {
        guard end - position >= BatchLayout.headerBytes else { return nil }
        try fill(at: position, count: BatchLayout.headerBytes)
        guard Int(windowStart) + windowCount - Int(position) >= BatchLayout.headerBytes else { return nil }
        do throws(RecordError) { return try BatchHeader(slice(at: position)) } catch { return nil }
    }

    private mutating func checksum(of header: BatchHeader) throws(FileError) -> UInt32 {
        var sum: UInt32 = 0
        var at = position + Int64(BatchLayout.attributes)
        let last = position + Int64(header.byteCount)
        while at < last {
            let wanted = Int(min(last - at, Int64(window.count)))
            try fill(at: at, count: wanted)
            let bytes = UnsafeRawBufferPointer(rebasing: slice(at: at).prefix(wanted))
            if bytes.isEmpty { break }
            sum = CRC32C.checksum(bytes, continuing: sum)
            at += Int64(bytes.count)
        }
        return sum
    }

    /// Makes the window hold `count` bytes from `at`, as far as the file goes.
    private mutating func fill(at: Int64, count: Int) throws(FileError) {
        if at >= windowStart, at + Int64(count) <= windowStart + Int64(windowCount) { return }
        let wanted = Int(min(Int64(window.count), end - at))
        windowCount = 0
        windowCount = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: window[..<wanted]), at: at)
        windowStart = at
    }

    private func slice(at: Int64) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: window[Int(at - windowStart)..<windowCount])
    }
}
