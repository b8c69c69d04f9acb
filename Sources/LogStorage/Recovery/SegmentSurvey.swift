import Base
import Records

/// A damaged segment read from end to end: which of its bytes are sound batches, and which offsets are gone.
///
/// The search goes on behind damage: what follows below the known durable point was on the disk too, and what follows beyond it may have
/// been acknowledged, or written before what the crash tore. Damage with nothing sound behind it is a torn tail, unless offsets below the
/// known durable point, or before the next segment, would be missing.
struct SegmentSurvey {
    /// Bytes that are no batch, and the offsets that were lost with them (`from` up to, without, `to`).
    struct Hole: Equatable {
        var bytes: Range<Int64>
        var from: Offset
        var to: Offset
        /// The leader epoch of the batch before.
        var epoch: LeaderEpoch
        var reason: String
    }

    enum Piece: Equatable {
        case sound(Range<Int64>)
        case hole(Hole)
    }

    private(set) var pieces: [Piece] = []
    /// The offset after the last piece.
    private(set) var next: Offset
    /// Where the log is to be cut, and why; nil where the file ends soundly or with a hole.
    private(set) var cut: (position: Int64, size: Int64, reason: String)?

    var holes: [Hole] { pieces.compactMap { if case .hole(let hole) = $0 { hole } else { nil } } }

    private let file: any File
    private let size: Int64
    /// Base of the segment behind, or nil.
    private let limit: Offset?

    private init(_ segment: Segment, limit: Offset?) throws(FileError) {
        file = try segment.file()
        size = try file.status().size
        next = segment.baseOffset
        self.limit = limit
    }

    /// True where a sound batch stands anywhere in the segment.
    static func holdsBatch(_ segment: Segment, limit: Offset?) throws(FileError) -> Bool {
        let survey = try SegmentSurvey(segment, limit: limit)
        return try survey.find(from: 0) != nil
    }

    /// - Parameters:
    ///   - known: all below it was on the disk.
    ///   - limit: the base of the next segment, or nil.
    ///   - contiguousFrom: from here on every offset must be there; before it compaction may have left gaps.
    init(of segment: Segment, known: Offset, limit: Offset?, contiguousFrom: Offset) throws(FileError) {
        try self.init(segment, limit: limit)
        var epoch = LeaderEpoch.none
        var position: Int64 = 0
        while true {
            guard let flaw = try run(segment, from: &position, &epoch, contiguousFrom: contiguousFrom) else {
                // The file is shorter than it was. What a compaction took from the end of a segment isn't missed.
                let end = limit.map { next >= contiguousFrom ? $0 : next } ?? known
                if next < end, end - next <= SegmentRepair.emptyOffsetsMax {
                    lost(size..<size, to: end, epoch, "the file ends at byte \(size)")
                }
                return
            }
            var found = try successor(at: position)
            if found == nil { found = try find(from: flaw.resume) }
            if let found {
                lost(position..<found.position, to: found.offset, epoch, flaw.reason)
                position = found.position
                continue
            }
            let end = limit ?? known
            // No hole is wider than an empty batch: then the point is damaged.
            if next < end, end - next <= SegmentRepair.emptyOffsetsMax {
                lost(position..<size, to: end, epoch, flaw.reason)
            } else {
                cut = (position, size, flaw.reason)
            }
            return
        }
    }

    private mutating func lost(_ bytes: Range<Int64>, to end: Offset, _ epoch: LeaderEpoch, _ reason: String) {
        pieces.append(.hole(Hole(bytes: bytes, from: next, to: end, epoch: epoch, reason: reason)))
        next = end
    }

    /// Takes sound batches from `position` on. Returns what ended them, and from where a next one may be looked for; nil at the file's end.
    private mutating func run(
        _ segment: Segment, from position: inout Int64, _ epoch: inout LeaderEpoch, contiguousFrom: Offset
    ) throws(FileError) -> (reason: String, resume: Int64)? {
        let begin = position
        defer { if position > begin { pieces.append(.sound(begin..<position)) } }
        var scanner = BatchScanner(file, from: position, to: size, checkingCRC: true)
        while true {
            switch try scanner.next() {
            case .end: return nil
            case .flaw(let at, let reason): return (reason, at + 1)
            case .batch(let batch, let at):
                let follower = try scanner.peek()
                if let reason = segment.misplaced(
                    batch, after: next, contiguousFrom: contiguousFrom, limit: limit, follower: follower)
                {
                    return (reason, at + Int64(batch.byteCount))
                }
                position = at + Int64(batch.byteCount)
                next = batch.nextOffset
                epoch = batch.partitionLeaderEpoch
            }
        }
    }

    // MARK: - The next sound batch

    private static let windowBytes = 256 << 10
    /// Sums of what turns out to be no batch may cost so much in all; then the rest counts as damaged.
    private static let vainBytesMax = 256 << 20

    private typealias Place = (offset: Offset, position: Int64)

    /// The batch behind the damaged one at `position`, where that one's header still tells its length and both agree on the offset between
    /// them. Asked first, so that batches which someone stored *within* a record aren't taken for the log's own.
    private func successor(at position: Int64) throws(FileError) -> Place? {
        guard size - position >= Int64(BatchLayout.headerBytes) else { return nil }
        let bytes = try file.bytes(at: position, count: BatchLayout.headerBytes)
        guard let damaged = try? BatchHeader(bytes), damaged.baseOffset == next else { return nil }
        let behind = position + Int64(damaged.byteCount)
        guard let batch = try soundBatch(at: behind), batch.baseOffset == damaged.nextOffset else { return nil }
        return (batch.baseOffset, behind)
    }

    private func soundBatch(at position: Int64) throws(FileError) -> BatchHeader? {
        guard position < size else { return nil }
        var scanner = BatchScanner(file, from: position, to: size, checkingCRC: true)
        guard case .batch(let batch, _) = try scanner.next(), batch.nextOffset <= limit ?? Offset(.max) else {
            return nil
        }
        // Its CRC does not cover its offset; the batch behind it tells.
        if let follower = try scanner.peek(), follower.baseOffset < batch.nextOffset { return nil }
        return batch
    }

    /// The first sound batch at or beyond a position that may stand there: at or beyond the offset that is due.
    private func find(from start: Int64) throws(FileError) -> Place? {
        let header = Int64(BatchLayout.headerBytes)
        let end = min(limit ?? Offset(.max), next + SegmentRepair.emptyOffsetsMax)
        var vain = 0
        var at = start
        while at + header <= size {
            let bytes = try file.bytes(at: at, count: Int(min(Int64(Self.windowBytes), size - at)))
            let candidates = bytes.withUnsafeReadableBytes { self.candidates(in: $0, at: at, below: end) }
            for (position, byteCount) in candidates {
                if let batch = try soundBatch(at: position) { return (batch.baseOffset, position) }
                vain += byteCount
                if vain > Self.vainBytesMax { return nil }
            }
            at += max(1, Int64(bytes.readableBytes) - header + 1)
        }
        return nil
    }

    /// Positions at which a header could stand, by its magic, offset and length.
    private func candidates(
        in bytes: UnsafeRawBufferPointer, at start: Int64, below end: Offset
    ) -> [(position: Int64, byteCount: Int)] {
        var found: [(Int64, Int)] = []
        var place = 0
        while place + BatchLayout.headerBytes <= bytes.count {
            defer { place += 1 }
            guard bytes[place + BatchLayout.magic] == UInt8(BatchLayout.currentMagic) else { continue }
            let offset = Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: Int64.self))
            guard offset >= next.rawValue, offset <= end.rawValue else { continue }
            let length = Int32(
                bigEndian: bytes.loadUnaligned(fromByteOffset: place + BatchLayout.batchLength, as: Int32.self))
            let left = size - start - Int64(place) - Int64(BatchLayout.prefixBytes)
            guard length >= Int32(BatchLayout.headerBytes - BatchLayout.prefixBytes), Int64(length) <= left else {
                continue
            }
            found.append((start + Int64(place), Int(length) + BatchLayout.prefixBytes))
        }
        return found
    }
}
