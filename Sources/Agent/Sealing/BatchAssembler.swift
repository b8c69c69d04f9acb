import Base
import KafkaClient
import NIOCore
import Records

/// Collects lines into one batch per topic and partition, and closes batches together so that what is sealed of a stream is always a
/// prefix of it: a seal takes every open batch that some stream of the sealed batch feeds, and those that feed on *their* streams, too.
///
/// No I/O and no clock. The order of calls is that of the streams: a block's lines are taken as far as there is room, then the caller
/// seals, then the rest.
public final class BatchAssembler {
    public let settings: SealSettings
    private var batches: [TopicPartition: OpenBatch] = [:]
    private var feeds: [StreamID: Feed] = [:]
    /// Positions that wait for a seal and are in no open batch.
    private var loosePositions: [StreamID: StreamCheckpoint] = [:]
    /// What they take in the log; at `looseBytesMax` they are sealed at once, so that a first look at very many files makes many small
    /// seals.
    private var loosePositionBytes = 0
    private static let looseBytesMax = 64 << 10
    /// Streams that are gone, and the batches that were open when that was said: they have to be sealed first, or with it.
    private var retirements: [(stream: StreamID, after: Set<TopicPartition>)] = []
    private var looseSince: Instant?
    private var compressor = Compressor()
    private var headers: [ObjectIdentifier: (origin: LineOrigin, prepared: PreparedHeaders)] = [:]

    public private(set) var openBytes = 0

    public init(settings: SealSettings) { self.settings = settings }

    private struct Feed {
        var checkpoint: StreamCheckpoint
        /// More than one only where a journal's units or a change of the partition count spread a stream.
        var partitions: Set<TopicPartition>
    }

    /// A builder with what its records were made from. The builder is kept for the next batch of the partition.
    private final class OpenBatch {
        var builder: RecordBatchBuilder
        var streams: Set<StreamID> = []
        var counts: [SourceCount] = []
        var since = Instant.zero
        var isFull = false

        init(_ settings: SealSettings) {
            builder = RecordBatchBuilder(codec: settings.codec, level: settings.level, capacity: settings.batchBytes)
        }
    }

    /// Batches that have to be sealed together.
    public struct Group: Sendable {
        public var partitions: [TopicPartition]
        var streams: Set<StreamID>
        /// At most what the seal takes in the log.
        public var byteCountMax: Int
    }

    // MARK: - Filling

    /// Takes lines of a block from the one that begins at `byte`, and returns where the first line that wasn't taken begins. Where that
    /// isn't the block's end, something has to be sealed first: see `nextGroup`.
    public func append(
        _ block: LineBlock, from byte: Int, to partition: TopicPartition, now: Instant, wallTime: Timestamp
    ) -> Int {
        guard openBytes < settings.openBytesMax.bytes else { return byte }
        let batch = openBatch(partition, now)
        guard !batch.isFull else { return byte }
        let before = batch.builder.uncompressedByteCount
        let prepared = preparedHeaders(of: block.origin)
        let taken: (lines: Int, bytes: Int) = block.source.bytes.withUnsafeBytes { key in
            guard block.recordEnds == nil else {
                return Self.appendRecords(of: block, from: byte, to: batch, key: key, headers: prepared, wallTime)
            }
            let taken = block.withBytes(from: byte) {
                batch.builder.appendLines($0, timestamp: wallTime, key: key, headers: prepared)
            }
            return (taken.lines, taken.bytes)
        }
        let end = byte + taken.bytes
        if end < block.byteCount || batch.builder.uncompressedByteCount >= settings.batchBytes.bytes {
            batch.isFull = true
        }
        guard taken.lines > 0 else { return byte }
        openBytes += batch.builder.uncompressedByteCount - before
        count(taken, of: block.source, in: batch, wallTime)
        note(
            StreamCheckpoint(stream: block.stream, source: block.source, position: block.position(atByte: end)),
            in: partition)
        batch.streams.insert(block.stream)
        return end
    }

    /// Records of several lines each, as many as there is room for.
    private static func appendRecords(
        of block: LineBlock, from byte: Int, to batch: OpenBatch, key: UnsafeRawBufferPointer,
        headers: PreparedHeaders?, _ wallTime: Timestamp
    ) -> (lines: Int, bytes: Int) {
        var lines = 0
        let end = block.forEachRecord(from: byte) { record in
            guard batch.builder.append(timestamp: wallTime, key: key, value: record, headers: headers) else {
                return false
            }
            lines += 1
            return true
        }
        return (lines, end - byte)
    }

    /// A stream's position moved without a line.
    public func positioned(_ checkpoint: StreamCheckpoint, now: Instant) {
        if feeds[checkpoint.stream] != nil {
            feeds[checkpoint.stream]!.checkpoint = checkpoint
        } else {
            dropLoosePosition(of: checkpoint.stream)
            loosePositions[checkpoint.stream] = checkpoint
            loosePositionBytes += Self.bytesInLog(checkpoint)
            looseSince = looseSince ?? now
        }
    }

    private func dropLoosePosition(of stream: StreamID) {
        guard let old = loosePositions.removeValue(forKey: stream) else { return }
        loosePositionBytes -= Self.bytesInLog(old)
    }

    private static func bytesInLog(_ checkpoint: StreamCheckpoint) -> Int {
        40 + checkpoint.position.bytes.count + checkpoint.source.bytes.count
    }

    /// A stream is gone; its position may go once everything is sealed that came before this.
    public func retired(_ stream: StreamID, now: Instant) {
        dropLoosePosition(of: stream)
        let open = batches.filter { !$0.value.builder.isEmpty }
        retirements.append((stream, Set(open.keys)))
        looseSince = looseSince ?? now
    }

    /// Topics with lines that aren't sealed yet.
    var openTopics: Set<String> {
        batches.reduce(into: []) { topics, batch in
            if !batch.value.builder.isEmpty { topics.insert(batch.key.topic) }
        }
    }

    // MARK: - Sealing

    /// When something has to be sealed next, if nothing more comes.
    public var deadline: Instant {
        var deadline = looseDeadline
        for batch in batches.values where !batch.builder.isEmpty {
            deadline = min(deadline, batch.isFull ? .zero : batch.since + settings.linger)
        }
        return deadline
    }

    /// Since when the oldest batch is open that isn't sealed; nil where none is.
    var oldestOpen: Instant? { batches.values.filter { !$0.builder.isEmpty }.map(\.since).min() }

    public var isEmpty: Bool {
        loosePositions.isEmpty && retirements.isEmpty && batches.values.allSatisfy { $0.builder.isEmpty }
    }

    /// What has to be sealed now, one group after the other; nil where nothing has to. `all` takes what need not be sealed yet too.
    public func nextGroup(now: Instant, all: Bool = false) -> Group? {
        var first: TopicPartition?
        var since = Instant.distantFuture
        let isCrowded = openBytes >= settings.openBytesMax.bytes
        for (partition, batch) in batches where !batch.builder.isEmpty {
            let isDue = all || isCrowded || batch.isFull || batch.since + settings.linger <= now
            guard isDue, batch.since < since || (batch.since == since && partition < first!) else { continue }
            first = partition
            since = batch.since
        }
        if let first { return group(around: first) }
        return looseGroup(now: now, all: all)
    }

    /// Positions and retirements that are due and in no open batch: they can be sealed where a batch can't.
    public func looseGroup(now: Instant, all: Bool = false) -> Group? {
        guard all || looseDeadline <= now, looseDeadline != .distantFuture else { return nil }
        return Group(partitions: [], streams: [], byteCountMax: looseBytes + 256)
    }

    /// When positions have to be sealed without a batch. Retirements that wait for a batch go with it.
    public var looseDeadline: Instant {
        guard let looseSince, !loosePositions.isEmpty || retirements.contains(where: \.after.isEmpty) else {
            return .distantFuture
        }
        return looseBytes >= Self.looseBytesMax ? .zero : looseSince + settings.positionLinger
    }

    private func group(around first: TopicPartition) -> Group {
        var partitions: Set<TopicPartition> = [first]
        var streams: Set<StreamID> = []
        var unseen = [first]
        while let partition = unseen.popLast() {
            for stream in batches[partition]!.streams where streams.insert(stream).inserted {
                unseen += feeds[stream]!.partitions.filter { partitions.insert($0).inserted }
            }
        }
        var bytes = 256 + looseBytes
        for partition in partitions {
            let batch = batches[partition]!
            bytes += batch.builder.uncompressedByteCount + 128 + partition.topic.utf8.count
            bytes += batch.counts.reduce(0) { $0 + 32 + $1.source.bytes.count }
        }
        for stream in streams {
            let checkpoint = feeds[stream]!.checkpoint
            bytes += Self.bytesInLog(checkpoint)
        }
        return Group(partitions: partitions.sorted(), streams: streams, byteCountMax: bytes)
    }

    private var looseBytes: Int {
        loosePositionBytes + retirements.count * 8
    }

    /// Closes a group's batches. What is returned has to be put in the log, or the process has to stop: the lines are in no batch any more.
    ///
    /// - Parameter reserve: gives the identity and sequence of the next batch.
    /// - Throws: `RecordError` where a codec failed for want of memory.
    public func seal(
        _ group: Group, reserve: (TopicPartition, Int32) -> (identity: ProducerIdentity, baseSequence: Int32)
    ) throws -> Seal {
        var seal = Seal()
        for partition in group.partitions {
            let batch = batches[partition]!
            let records = Int32(batch.builder.recordCount)
            openBytes -= batch.builder.uncompressedByteCount - BatchLayout.headerBytes
            let (identity, sequence) = reserve(partition, records)
            let bytes = try batch.builder.seal(
                producerID: identity.id, epoch: identity.epoch, baseSequence: sequence, using: &compressor)
            seal.batches.append(
                Seal.Batch(
                    partition: partition, identity: identity, baseSequence: sequence, recordCount: records, bytes: bytes
                ))
            seal.counts += batch.counts
            batch.counts.removeAll(keepingCapacity: true)
            batch.streams.removeAll(keepingCapacity: true)
            batch.isFull = false
        }
        for stream in group.streams.sorted() {
            seal.streams.append(feeds.removeValue(forKey: stream)!.checkpoint)
        }
        seal.streams += loosePositions.values.filter { !group.streams.contains($0.stream) }
            .sorted { $0.stream < $1.stream }
        for place in retirements.indices { retirements[place].after.subtract(group.partitions) }
        seal.retired = retirements.filter(\.after.isEmpty).map(\.stream)
        retirements.removeAll(where: \.after.isEmpty)
        loosePositions = [:]
        loosePositionBytes = 0
        if retirements.isEmpty { looseSince = nil }
        return seal
    }

    // MARK: -

    private func openBatch(_ partition: TopicPartition, _ now: Instant) -> OpenBatch {
        let batch: OpenBatch
        if let known = batches[partition] {
            batch = known
        } else {
            dropIdleBuilders()
            batch = OpenBatch(settings)
            batches[partition] = batch
        }
        if batch.builder.isEmpty { batch.since = now }
        return batch
    }

    /// Builders keep their memory for the next batch of their partition: not for ever, and not for every partition there is.
    private func dropIdleBuilders() {
        guard batches.count >= 64 else { return }
        batches = batches.filter { !$0.value.builder.isEmpty }
    }

    private func note(_ checkpoint: StreamCheckpoint, in partition: TopicPartition) {
        // A loose position stays: sealed with others before this batch is, it tells that the stream was there before what came after it.
        if feeds[checkpoint.stream] == nil {
            feeds[checkpoint.stream] = Feed(checkpoint: checkpoint, partitions: [partition])
        } else {
            feeds[checkpoint.stream]!.checkpoint = checkpoint
            feeds[checkpoint.stream]!.partitions.insert(partition)
        }
    }

    private func count(
        _ taken: (lines: Int, bytes: Int), of source: SourceKey, in batch: OpenBatch, _ wallTime: Timestamp
    ) {
        let hour = Int32(clamping: wallTime.milliseconds / 3_600_000)
        let (lines, bytes) = (UInt64(taken.lines), UInt64(taken.bytes - taken.lines))
        if let place = batch.counts.lastIndex(where: { $0.hour == hour && $0.source == source }) {
            batch.counts[place].lines += lines
            batch.counts[place].bytes += bytes
        } else {
            batch.counts.append(SourceCount(source: source, hour: hour, lines: lines, bytes: bytes))
        }
    }

    private func preparedHeaders(of origin: LineOrigin) -> PreparedHeaders? {
        guard !origin.headers.isEmpty else { return nil }
        if let known = headers[ObjectIdentifier(origin)] { return known.prepared }
        if headers.count >= 1024 { headers.removeAll() }
        let prepared = PreparedHeaders(origin.headers.map { (name: $0.name, value: Array($0.value.utf8)) })
        headers[ObjectIdentifier(origin)] = (origin, prepared)
        return prepared
    }
}
