import Base
import SystemPackage

/// Goes through the frames of one segment, a chunk at a time.
struct SpoolScan {
    enum Step {
        /// A whole frame; `take` goes on behind it. The pointers are valid until then.
        case frame(SpoolFormat.Frame)
        /// Nothing more up to the end that was named.
        case end
        /// What stands here is no frame; where the next whole one stands, nil where none does up to the end.
        case damage(next: Int64?)
    }

    private let file: any File
    private let marker: UInt32
    /// Where the next frame begins.
    private(set) var offset: Int64
    private let chunk: ScanChunk
    private var frameBytes = 0

    init(file: any File, marker: UInt32, offset: Int64) {
        self.file = file
        self.marker = marker
        self.offset = offset
        chunk = ScanChunk()
    }

    /// The frame at `offset`; bytes from `end` on are not looked at.
    mutating func next(upTo end: Int64) throws(FileError) -> Step {
        guard offset < end else { return .end }
        var needed = SpoolFormat.frameHeaderBytes
        while true {
            let bytes = try chunk.bytes(of: file, from: offset, atLeast: needed, end: end)
            switch SpoolFormat.parse(bytes, marker: marker) {
            case .frame(let frame):
                frameBytes = frame.byteCount
                return .frame(frame)
            case .incomplete(let bytesNeeded):
                guard offset + Int64(bytesNeeded) <= end else { return .damage(next: try nextWhole(upTo: end)) }
                // The file is shorter than it was said to be.
                guard bytesNeeded > needed || bytes.count >= needed else { return .damage(next: nil) }
                needed = bytesNeeded
            case .damaged: return .damage(next: try nextWhole(upTo: end))
            }
        }
    }

    /// Goes on behind the frame that `next` gave.
    mutating func take() {
        offset += Int64(frameBytes)
        frameBytes = 0
    }

    mutating func skip(to offset: Int64) {
        precondition(offset > self.offset)
        self.offset = offset
        frameBytes = 0
    }

    /// The first whole frame behind `offset`.
    private func nextWhole(upTo end: Int64) throws(FileError) -> Int64? {
        let search = ScanChunk()
        var place = offset
        while place < end {
            let bytes = try search.bytes(of: file, from: place, atLeast: 2 * SpoolFormat.frameHeaderBytes, end: end)
            guard let step = SpoolFormat.nextMarker(in: bytes, marker: marker) else {
                guard bytes.count > 4 else { return nil }
                // A marker may stand across the end of these bytes.
                place += Int64(bytes.count - 4)
                continue
            }
            place += Int64(step)
            var probe = SpoolScan(file: file, marker: marker, offset: place)
            if try probe.isWhole(upTo: end) { return place }
        }
        return nil
    }

    private mutating func isWhole(upTo end: Int64) throws(FileError) -> Bool {
        var needed = SpoolFormat.frameHeaderBytes
        while offset + Int64(needed) <= end {
            let bytes = try chunk.bytes(of: file, from: offset, atLeast: needed, end: end)
            guard bytes.count >= needed else { return false }
            switch SpoolFormat.parse(bytes, marker: marker) {
            case .frame: return true
            case .incomplete(let bytesNeeded): needed = bytesNeeded
            case .damaged: return false
            }
        }
        return false
    }
}

/// A part of a file in memory.
private final class ScanChunk {
    private static let usualBytes = 64 << 10
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: ScanChunk.usualBytes, alignment: 16)
    private var start: Int64 = 0
    private var count = 0

    deinit { memory.deallocate() }

    /// What stands from `offset` on, as many bytes as are at hand but `needed` at least, unless the file ends before.
    func bytes(
        of file: any File, from offset: Int64, atLeast needed: Int, end: Int64
    ) throws(FileError) -> UnsafeRawBufferPointer {
        if offset < start || offset + Int64(needed) > start + Int64(count) {
            if needed > memory.count {
                memory.deallocate()
                memory = .allocate(byteCount: needed, alignment: 16)
            } else if memory.count > Self.usualBytes, needed <= Self.usualBytes {
                memory.deallocate()
                memory = .allocate(byteCount: Self.usualBytes, alignment: 16)
            }
            start = offset
            count = 0
            let wanted = Int(min(Int64(memory.count), end - offset))
            count = try file.read(
                into: UnsafeMutableRawBufferPointer(rebasing: memory[..<max(0, wanted)]), at: offset)
        }
        let from = Int(offset - start)
        let available = Int(min(Int64(count - from), end - offset))
        return UnsafeRawBufferPointer(rebasing: memory[from..<(from + max(0, available))])
    }
}

extension File {
    /// Up to so many bytes; fewer at the file's end.
    func bytes(from position: Int64, count: Int) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var (read, failure) = (0, FileError?.none)
        bytes.withUnsafeMutableBytes { bytes in
            do throws(FileError) { read = try self.read(into: bytes, at: position) } catch { failure = error }
        }
        if let failure { throw failure }
        bytes.removeLast(count - read)
        return bytes
    }
}
