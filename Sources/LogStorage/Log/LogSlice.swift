import Base
import NIOCore

/// How far a reader may see.
public enum ReadLimit: Sendable {
    /// What consumers see.
    case highWatermark
    /// What consumers with `read_committed` see.
    case lastStableOffset
    /// Everything: replicas, and this broker's own coordinators.
    case logEnd
}

/// A part of a file. It keeps the file open, though its segment be deleted meanwhile.
public struct FileRegion: Sendable {
    public let file: any File
    public let position: Int64
    public let byteCount: Int

    public init(file: any File, position: Int64, byteCount: Int) {
        self.file = file
        self.position = position
        self.byteCount = byteCount
    }
}

public struct AbortedTransaction: Sendable, Equatable {
    public var producerID: ProducerID
    public var firstOffset: Offset
    /// Of its marker.
    public var lastOffset: Offset
}

/// What a read found: file regions that hold whole batches from the asked offset on, the last of them perhaps cut short.
///
/// The first batch may begin below the asked offset; a reader skips to it, as with Kafka.
public struct LogSlice: Sendable {
    public var regions: [FileRegion]
    public var highWatermark: Offset
    public var lastStableOffset: Offset
    public var logStartOffset: Offset
    /// For `ReadLimit.lastStableOffset`: the aborted transactions that have records in what was read, by the offsets of their markers.
    public var abortedTransactions: [AbortedTransaction] = []
    /// Of the segments that were asked, the one that the last region stands in, counted from 1.
    var segmentsRead = 0

    public var byteCount: Int { regions.reduce(0) { $0 + $1.byteCount } }
    public var isEmpty: Bool { regions.isEmpty }

    /// The bytes, copied out of the files.
    public func bytes() throws(ReadError) -> ByteBuffer {
        var all = ByteBuffer()
        for region in regions {
            do throws(FileError) {
                var part = try region.file.bytes(at: region.position, count: region.byteCount)
                if regions.count == 1 { return part }
                all.writeBuffer(&part)
            } catch { throw ReadError(error) }
        }
        return all
    }
}

/// What `offset(for:)` looks for (ListOffsets).
public enum OffsetQuery: Sendable, Equatable {
    /// The first offset that can be read.
    case earliest
    /// The high watermark, or the last stable offset.
    case latest
    /// The record with the largest timestamp (KIP-734).
    case maxTimestamp
    /// The first record of that time or younger.
    case timestamp(Timestamp)
}

public struct FoundOffset: Sendable, Equatable {
    public var offset: Offset
    /// The record's time; `.none` for the ends of the log.
    public var timestamp: Timestamp
    public var epoch: LeaderEpoch?
}
