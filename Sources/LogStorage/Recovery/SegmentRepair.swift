import Base
import NIOCore
import Records
import SystemPackage

/// Writes a damaged segment anew, beside the old one and then over it: its sound batches as they stand, and for each hole an empty batch over the
/// offsets that are lost, so that no offset is ever given twice and every reader goes on behind it. The damaged bytes are copied aside first:
///
/// ```
/// quarantine/nginx.access-0.4711-4720.00000000000000004000.65536
///            partition      from-to   segment              position in it
/// ```
struct SegmentRepair {
    static let suffix = ".repaired"
    static let quarantine = "quarantine"
    /// An empty batch covers at most so many offsets.
    static let emptyOffsetsMax = Int64(Int32.max)
    private static let copyBytes = 1 << 20

    let partition: TopicPartition
    let folder: Folder
    let shared: LogShared
    /// All below it was on the disk.
    let known: Offset

    private var fileSystem: any FileSystem { shared.fileSystem }

    /// Durable when it returns. The segment's indexes are to be built anew.
    func rewrite(_ segment: Segment, _ survey: SegmentSurvey) throws(FileError) {
        let old = try segment.file()
        var facts: [LogFact] = []
        for hole in survey.holes {
            let copy = hole.bytes.isEmpty ? nil : try setAside(hole, of: segment, old)
            facts.append(
                hole.from < known
                    ? .batchesQuarantined(partition, from: hole.from, to: hole.to, file: copy, reason: hole.reason)
                    : .batchesMissing(partition, from: hole.from, to: hole.to, file: copy, reason: hole.reason))
        }
        try forget(survey.holes)
        let path = folder.segmentFile(segment.baseOffset, Segment.logSuffix + Self.suffix)
        let new = try fileSystem.open(path, .create)
        try new.truncate(to: 0)
        var end: Int64 = 0
        for piece in survey.pieces {
            switch piece {
            case .sound(let bytes): try copy(bytes, of: old, to: new, at: &end)
            case .hole(let hole):
                guard hole.to > hole.from else { continue }
                let empty = RecordBatch.empty(from: hole.from, to: hole.to, leaderEpoch: hole.epoch)
                try new.write(Array(empty.readableBytesView), at: end)
                end += Int64(empty.readableBytes)
            }
        }
        try new.sync()
        try fileSystem.rename(path, to: segment.path)
        try fileSystem.syncDirectory(folder.path)
        for fact in facts { shared.emit(fact) }
    }

    /// A snapshot from behind a hole knows of batches that are gone: their resend would be answered as a duplicate. Durable before the hole is.
    private func forget(_ holes: [SegmentSurvey.Hole]) throws(FileError) {
        let lost = holes.filter { $0.to > $0.from }.map { $0.from.rawValue..<$0.to.rawValue }
        guard let first = holes.first else { return }
        let names = try fileSystem.list(folder.path).map(\.name)
        let offsets = Folder.offsets(names, ProducerSnapshot.suffix)
        // With an older one the batches since are read again, and what is missing among them is found: also whether a marker is, so that its
        // transaction is open still. A log that was never trimmed is read from its beginning.
        let isWhole = Folder.offsets(names, Segment.logSuffix).first == .zero
        let hasOlder = isWhole || offsets.contains { $0 <= first.from && snapshot($0) != nil }
        for offset in offsets where offset > first.from {
            let name = Folder.segmentFileName(offset, ProducerSnapshot.suffix)
            guard !hasOlder, var state = snapshot(offset) else {
                try fileSystem.unlink(folder.file(name))
                try fileSystem.syncDirectory(folder.path)
                continue
            }
            state.lose(lost.filter { $0.lowerBound < offset.rawValue })
            do throws(FileError) {
                try fileSystem.replace(name, in: folder, with: ProducerSnapshot.bytes(state))
            } catch {
                guard error.code == .noSpace else { throw error }
                try fileSystem.unlink(folder.file(name))
                try fileSystem.syncDirectory(folder.path)
            }
        }
    }

    private func snapshot(_ offset: Offset) -> ProducerState? {
        let file = folder.segmentFile(offset, ProducerSnapshot.suffix)
        guard let bytes = try? fileSystem.contents(of: file, bytesMax: .mib(256)) else { return nil }
        return ProducerSnapshot.state(bytes)
    }

    private func copy(
        _ bytes: Range<Int64>, of old: any File, to new: any File, at end: inout Int64
    ) throws(FileError) {
        var at = bytes.lowerBound
        while at < bytes.upperBound {
            let part = try old.bytes(at: at, count: Int(min(Int64(Self.copyBytes), bytes.upperBound - at)))
            guard part.readableBytes > 0 else {
                throw FileError(.damaged, .read, folder.path, detail: "a segment shrank while it was copied")
            }
            try new.write(Array(part.readableBytesView), at: end)
            at += Int64(part.readableBytes)
            end += Int64(part.readableBytes)
        }
    }

    private func setAside(
        _ hole: SegmentSurvey.Hole, of segment: Segment, _ file: any File
    ) throws(FileError) -> FilePath {
        let place = Folder(shared.folder.file(Self.quarantine))
        if try !fileSystem.exists(place.path) {
            try fileSystem.createDirectory(place.path)
            try fileSystem.syncDirectory(shared.folder.path)
        }
        let base = Folder.segmentFileName(segment.baseOffset, "")
        let path = place.file("\(partition).\(hole.from)-\(hole.to).\(base).\(hole.bytes.lowerBound)")
        let copy = try fileSystem.open(path, .create)
        try copy.truncate(to: 0)
        var end: Int64 = 0
        try self.copy(hole.bytes, of: file, to: copy, at: &end)
        try copy.sync()
        try fileSystem.syncDirectory(place.path)
        return path
    }
}
