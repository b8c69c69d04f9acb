import Base
import SystemPackage

/// Something that happened to a log and that a person or a counter should hear of. `LogDirectory` hands each to its `onFact`.
public enum LogFact: Sendable, Equatable, CustomStringConvertible {
    public enum Level: Sendable { case debug, info, warning, error }

    case uncleanStart(FilePath)
    /// So much of what the last life left unchecked was read by now. `left`: how long the rest takes at that pace; nil while nobody knows.
    case recovering(
        FilePath, opened: Int, partitions: Int, bytesRead: ByteCount, bytes: ByteCount, left: Duration?)
    case recovered(TopicPartition, segments: Int, bytesRead: ByteCount, end: Offset)
    case tailCut(TopicPartition, file: FilePath, position: Int64, bytesCut: Int64, reason: String)
    case segmentsDropped(TopicPartition, count: Int, from: Offset, reason: String)
    /// Records that were on the disk are damaged; `file` holds their bytes.
    case batchesQuarantined(TopicPartition, from: Offset, to: Offset, file: FilePath?, reason: String)
    /// Records that may never have reached the disk stand damaged, or not at all, before others that did.
    case batchesMissing(TopicPartition, from: Offset, to: Offset, file: FilePath?, reason: String)
    /// A batch's leader epoch, which no sum covers, was wrong and is right again.
    case epochMended(TopicPartition, offset: Offset, file: FilePath, was: LeaderEpoch, now: LeaderEpoch)
    case indexRebuilt(TopicPartition, file: FilePath, reason: String)
    case snapshotIgnored(TopicPartition, file: FilePath, reason: String)
    case checkpointIgnored(file: FilePath, reason: String)
    case checkpointNotWritten(file: FilePath, reason: String)
    case segmentsDeleted(TopicPartition, count: Int, bytes: ByteCount, start: Offset, reason: String)
    case compacted(TopicPartition, bytesBefore: ByteCount, bytesAfter: ByteCount, upTo: Offset)
    case batchNotCompacted(TopicPartition, offset: Offset, reason: String)
    case partitionOffline(TopicPartition, reason: String)
    case directoryOffline(FilePath, reason: String)
    case diskFull(FilePath, free: ByteCount)
    case diskHasRoomAgain(FilePath, free: ByteCount)
    case maintenanceFailed(TopicPartition, reason: String)
    case strangeFolder(FilePath)
    /// What the disk gave twice is not what was written there.
    case rotFound(TopicPartition, file: FilePath, position: Int64, reason: String)
    /// Damage that a second look did not find.
    case readsDiffer(TopicPartition, file: FilePath, position: Int64, reason: String)
    case scrubFailed(TopicPartition, file: FilePath, reason: String)
    /// A round of `LogScrubber` is over.
    case scrubbed(FilePath, segments: Int, bytes: ByteCount, flaws: Int)

    public var level: Level {
        switch self {
        case .recovering, .recovered, .segmentsDeleted, .compacted, .diskHasRoomAgain, .scrubbed: .info
        case .uncleanStart, .tailCut, .segmentsDropped, .batchesMissing, .epochMended, .indexRebuilt, .snapshotIgnored,
            .checkpointIgnored, .checkpointNotWritten, .batchNotCompacted, .maintenanceFailed, .strangeFolder,
            .readsDiffer, .scrubFailed:
            .warning
        case .batchesQuarantined, .partitionOffline, .directoryOffline, .diskFull, .rotFound: .error
        }
    }

    /// A short name for a counter.
    public var name: String {
        switch self {
        case .uncleanStart: "unclean_start"
        case .recovering: "recovering"
        case .recovered: "recovered"
        case .tailCut: "tail_cut"
        case .segmentsDropped: "segments_dropped"
        case .batchesQuarantined: "batches_quarantined"
        case .batchesMissing: "batches_missing"
        case .epochMended: "epoch_mended"
        case .indexRebuilt: "index_rebuilt"
        case .snapshotIgnored: "snapshot_ignored"
        case .checkpointIgnored: "checkpoint_ignored"
        case .checkpointNotWritten: "checkpoint_not_written"
        case .segmentsDeleted: "segments_deleted"
        case .compacted: "compacted"
        case .batchNotCompacted: "batch_not_compacted"
        case .partitionOffline: "partition_offline"
        case .directoryOffline: "directory_offline"
        case .diskFull: "disk_full"
        case .diskHasRoomAgain: "disk_has_room_again"
        case .maintenanceFailed: "maintenance_failed"
        case .strangeFolder: "strange_folder"
        case .rotFound: "rot_found"
        case .readsDiffer: "reads_differ"
        case .scrubFailed: "scrub_failed"
        case .scrubbed: "scrubbed"
        }
    }

    /// Garbage between two batches that continue each other costs no offset.
    private static func lost(_ from: Offset, _ to: Offset) -> String {
        from == to ? "bytes before offset \(to), no record" : "the records at offsets \(from) to \(to + -1)"
    }

    public var description: String {
        switch self {
        case .uncleanStart(let path):
            "\(path) was not shut down cleanly: segments past their recovery point are checked"
        case .recovering(let path, let opened, let partitions, let read, let bytes, let left):
            "\(path): \(read) of \(bytes) checked, \(opened) of \(partitions) partitions open"
                + (left.map { ", about \($0.components.seconds) s left" } ?? "")
        case .recovered(let partition, let segments, let bytes, let end):
            "\(partition): \(segments) segments (\(bytes)) checked, the log ends at offset \(end)"
        case .tailCut(let partition, let file, let position, let cut, let reason):
            "\(partition): cut \(cut) bytes off \(file) at \(position): \(reason)"
        case .segmentsDropped(let partition, let count, let from, let reason):
            "\(partition): dropped \(count) segments from offset \(from) on: \(reason)"
        case .batchesQuarantined(let partition, let from, let to, let file, let reason):
            "\(partition): what was safely on disk is damaged: \(Self.lost(from, to)): \(reason). "
                + (file.map { "Their bytes were moved to \($0)" } ?? "Nothing is left of them")
                + "; readers go on at \(to)"
        case .batchesMissing(let partition, let from, let to, let file, let reason):
            "\(partition): did not reach the disk whole: \(Self.lost(from, to)): \(reason). "
                + (file.map { "Their bytes were moved to \($0); " } ?? "")
                + "what follows them is kept, and readers go on at \(to)"
        case .epochMended(let partition, let offset, let file, let was, let now):
            "\(partition): the batch at offset \(offset) in \(file) was said to be of leader epoch \(was); it is of \(now), as its "
                + "neighbours and \(LeaderEpochCache.fileName) say"
        case .indexRebuilt(let partition, let file, let reason): "\(partition): rebuilt \(file): \(reason)"
        case .snapshotIgnored(let partition, let file, let reason): "\(partition): ignored \(file): \(reason)"
        case .checkpointIgnored(let file, let reason): "ignored \(file): \(reason)"
        case .checkpointNotWritten(let file, let reason): "could not write \(file): \(reason)"
        case .segmentsDeleted(let partition, let count, let bytes, let start, let reason):
            "\(partition): deleted \(count) segments (\(bytes)), the log starts at offset \(start): \(reason)"
        case .compacted(let partition, let before, let after, let upTo):
            "\(partition): compacted \(before) to \(after), clean up to offset \(upTo)"
        case .batchNotCompacted(let partition, let offset, let reason):
            "\(partition): the batch at offset \(offset) is kept whole, it can't be read: \(reason)"
        case .partitionOffline(let partition, let reason): "\(partition) is offline: \(reason)"
        case .directoryOffline(let path, let reason): "\(path) is offline: \(reason)"
        case .diskFull(let path, let free): "the disk of \(path) is full (\(free) free): appends are refused"
        case .diskHasRoomAgain(let path, let free): "the disk of \(path) has room again (\(free) free)"
        case .maintenanceFailed(let partition, let reason): "\(partition): maintenance failed: \(reason)"
        case .rotFound(let partition, let file, let position, let reason):
            "\(partition): \(file) is damaged on the disk at byte \(position): \(reason)"
        case .readsDiffer(let partition, let file, let position, let reason):
            "\(partition): \(file) was read wrong at byte \(position) and right the second time (\(reason)): "
                + "look at the memory, the disk and what is between them"
        case .scrubFailed(let partition, let file, let reason):
            "\(partition): \(file) could not be read by the scrubber: \(reason)"
        case .scrubbed(let path, let segments, let bytes, let flaws):
            "\(path): \(segments) segments (\(bytes)) were read again, "
                + (flaws == 0 ? "all sound" : "\(flaws) of them damaged")
        case .strangeFolder(let path): "\(path) is no partition's folder and is left alone"
        }
    }
}
