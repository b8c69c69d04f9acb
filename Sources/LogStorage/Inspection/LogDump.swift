public import Base
import NIOCore
import Records
public import SystemPackage

/// One thing that a file of a log holds, as names and values for people and scripts.
public struct DumpEntry: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
        case int(Int64)
        case text(String)
        case bool(Bool)
        case none
    }

    /// `batch`, `record`, `marker`, `index`, `time_index`, `aborted_transaction`, `producer`, `leader_epoch`, `offset`, `topic`, `durable_point`, or `damage`.
    public var kind: String
    public var fields: [(name: String, value: Value)]

    public static func == (left: Self, right: Self) -> Bool {
        left.kind == right.kind && left.fields.map(\.name) == right.fields.map(\.name)
            && left.fields.map(\.value) == right.fields.map(\.value)
    }
}

/// Tells what stands in a log's files, whatever state they are in. Changes nothing.
public struct LogDump: Sendable {
    private let fileSystem: any FileSystem
    /// Also each record of the batches, with its key and value as text.
    private let showsRecords: Bool
    /// What one batch may decompress to.
    private static let decompressedMax = ByteCount.mib(128)

    public init(fileSystem: any FileSystem, showsRecords: Bool) {
        self.fileSystem = fileSystem
        self.showsRecords = showsRecords
    }

    /// The files of a folder that can be told, in the order of their names; a file stands for itself.
    public func files(at path: FilePath) throws(FileError) -> [FilePath] {
        guard let status = try fileSystem.status(path) else { throw FileError(.noSuchFile, .open, path) }
        guard status.kind == .directory else { return [path] }
        return try fileSystem.list(path).filter { !$0.isDirectory }.map { path.appending($0.name) }
            .filter { Self.kind(of: $0) != nil }.sorted { $0.string < $1.string }
    }

    private enum Kind { case segment, index, timeIndex, aborted, snapshot, epochs, checkpoint, topic, durablePoint }

    private static func kind(of path: FilePath) -> Kind? {
        let name = path.lastComponent?.string ?? ""
        switch name {
        case LeaderEpochCache.fileName: return .epochs
        case PartitionMetadata.fileName: return .topic
        case DurablePoint.fileName: return .durablePoint
        case OffsetCheckpoint.recoveryPoint, OffsetCheckpoint.logStart, OffsetCheckpoint.cleaner: return .checkpoint
        default: break
        }
        switch path.extension {
        case "log": return .segment
        case "index": return .index
        case "timeindex": return .timeIndex
        case "txnindex": return .aborted
        case "snapshot": return .snapshot
        default: return nil
        }
    }

    /// - Throws: where the file can't be read, or its name tells nothing. What is damaged comes as an entry.
    public func each(in path: FilePath, _ body: (DumpEntry) -> Void) throws(FileError) {
        guard let kind = Self.kind(of: path) else {
            throw FileError(
                .damaged, .open, path,
                detail:
                    "its name is none of a log's files (.log, .index, .timeindex, .txnindex, .snapshot, leader-epoch-checkpoint, …)"
            )
        }
        if kind == .segment { return try eachBatch(in: path, body) }
        guard let bytes = try fileSystem.contents(of: path, bytesMax: .mib(256)) else {
            throw FileError(.noSuchFile, .open, path)
        }
        let base = Int64(path.stem ?? "") ?? 0
        switch kind {
        case .index:
            each(OffsetIndexEntry.self, "index", in: bytes, body) { entry in
                [("offset", .int(base + Int64(entry.relativeOffset))), ("position", .int(Int64(entry.position)))]
            }
        case .timeIndex:
            each(TimeIndexEntry.self, "time_index", in: bytes, body) { entry in
                [("timestamp", .int(entry.timestamp)), ("offset", .int(base + Int64(entry.relativeOffset)))]
            }
        case .aborted:
            each(AbortedEntry.self, "aborted_transaction", in: bytes, body) { entry in
                [
                    ("producer_id", .int(entry.producerID)), ("first_offset", .int(entry.firstOffset)),
                    ("last_offset", .int(entry.lastOffset)), ("last_stable_offset", .int(entry.lastStableOffset)),
                ]
            }
        case .snapshot: producers(bytes, body)
        case .epochs:
            guard let cache = LeaderEpochCache(text: bytes) else { return body(Self.damage("is not whole")) }
            for entry in cache.entries {
                body(
                    DumpEntry(
                        kind: "leader_epoch",
                        fields: [
                            ("epoch", .int(Int64(entry.epoch.rawValue))), ("start_offset", .int(entry.start.rawValue)),
                        ]))
            }
        case .checkpoint:
            guard let checkpoint = OffsetCheckpoint(text: bytes) else { return body(Self.damage("is not whole")) }
            for (partition, offset) in checkpoint.offsets.sorted(by: { $0.key < $1.key }) {
                body(
                    DumpEntry(
                        kind: "offset",
                        fields: [("partition", .text("\(partition)")), ("offset", .int(offset.rawValue))]))
            }
        case .topic:
            guard let metadata = PartitionMetadata(text: bytes) else { return body(Self.damage("is not whole")) }
            body(DumpEntry(kind: "topic", fields: [("topic_id", .text("\(metadata.topicID)"))]))
        case .durablePoint:
            for slot in DurablePoint.slots(in: bytes) {
                body(
                    DumpEntry(
                        kind: "durable_point",
                        fields: [
                            ("generation", .int(Int64(clamping: slot.generation))),
                            ("topic_id", .text("\(slot.topicID)")), ("offset", .int(slot.offset.rawValue)),
                        ]))
            }
        case .segment: break
        }
    }

    private static func damage(_ reason: String, at position: Int64? = nil) -> DumpEntry {
        DumpEntry(
            kind: "damage", fields: [("position", position.map { .int($0) } ?? .none), ("reason", .text(reason))])
    }

    private func each<Entry: IndexEntry>(
        _ type: Entry.Type, _ kind: String, in bytes: [UInt8], _ body: (DumpEntry) -> Void,
        _ fields: (Entry) -> [(name: String, value: DumpEntry.Value)]
    ) {
        bytes.withUnsafeBytes { bytes in
            for place in stride(from: 0, through: bytes.count - Entry.byteCount, by: Entry.byteCount) {
                let entry = Entry(UnsafeRawBufferPointer(rebasing: bytes[place..<place + Entry.byteCount]))
                body(DumpEntry(kind: kind, fields: fields(entry)))
            }
        }
        let rest = bytes.count % Entry.byteCount
        if rest > 0 { body(Self.damage("\(rest) bytes are no entry", at: Int64(bytes.count - rest))) }
    }

    private func producers(_ bytes: [UInt8], _ body: (DumpEntry) -> Void) {
        guard let state = ProducerSnapshot.state(bytes) else {
            return body(Self.damage("its CRC or its lengths are wrong"))
        }
        for (id, producer) in state.producers.sorted(by: { $0.key < $1.key }) {
            let last = producer.batches.last
            body(
                DumpEntry(
                    kind: "producer",
                    fields: [
                        ("producer_id", .int(id)), ("epoch", .int(Int64(producer.epoch))),
                        ("batches", .int(Int64(producer.batches.count))),
                        ("last_sequence", .int(Int64(producer.lastSequence))),
                        ("last_offset", .int(last?.lastOffset ?? -1)),
                        ("timestamp", .int(last?.timestamp ?? -1)),
                        ("arrived", .int(producer.arrived.milliseconds)),
                        ("transaction_start", .int(producer.transactionStart)),
                    ]))
        }
    }

    // MARK: - Batches

    /// Every sound batch; behind damage nothing is told, for where the next one begins is a guess.
    private func eachBatch(in path: FilePath, _ body: (DumpEntry) -> Void) throws(FileError) {
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        let size = try file.status().size
        var scanner = BatchScanner(file, from: 0, to: size, checkingCRC: false)
        var decompressor = Decompressor()
        while true {
            switch try scanner.next() {
            case .end: return
            case .flaw(let position, let reason): return body(Self.damage(reason, at: position))
            case .batch(let header, let position):
                let bytes = try file.bytes(at: position, count: header.byteCount)
                let batch = try? RecordBatch(bytes)
                let isSound = batch.map { (try? $0.checkCRC()) != nil } ?? false
                body(Self.entry(header, at: position, isSound: isSound))
                if isSound, let batch, let marker = TransactionMarker(batch) {
                    body(
                        DumpEntry(
                            kind: "marker",
                            fields: [
                                ("offset", .int(header.lastOffset.rawValue)),
                                ("producer_id", .int(header.producerID.rawValue)),
                                ("outcome", .text(marker.commits ? "commit" : "abort")),
                                ("coordinator_epoch", .int(Int64(marker.coordinatorEpoch))),
                            ]))
                } else if showsRecords, isSound, let batch {
                    records(of: batch, using: &decompressor, body)
                }
            }
        }
    }

    private static func entry(_ header: BatchHeader, at position: Int64, isSound: Bool) -> DumpEntry {
        DumpEntry(
            kind: "batch",
            fields: [
                ("base_offset", .int(header.baseOffset.rawValue)), ("last_offset", .int(header.lastOffset.rawValue)),
                ("records", .int(Int64(header.recordCount))), ("position", .int(position)),
                ("bytes", .int(Int64(header.byteCount))), ("codec", .text("\(header.codec)")),
                ("base_timestamp", .int(header.baseTimestamp.milliseconds)),
                ("max_timestamp", .int(header.maxTimestamp.milliseconds)),
                ("leader_epoch", .int(Int64(header.partitionLeaderEpoch.rawValue))),
                ("producer_id", .int(header.producerID.rawValue)),
                ("producer_epoch", .int(Int64(header.producerEpoch.rawValue))),
                ("base_sequence", .int(Int64(header.baseSequence))), ("transactional", .bool(header.isTransactional)),
                ("control", .bool(header.isControl)), ("crc", .int(Int64(header.crc))),
                ("crc_is_right", .bool(isSound)),
            ])
    }

    private func records(of batch: RecordBatch, using decompressor: inout Decompressor, _ body: (DumpEntry) -> Void) {
        do throws(RecordError) {
            var records = try batch.records(decompressedMax: Self.decompressedMax, using: &decompressor)
            while let record = try records.next() {
                let text = { (bytes: ByteBuffer?) -> DumpEntry.Value in
                    bytes.map { .text(String(decoding: $0.readableBytesView, as: UTF8.self)) } ?? .none
                }
                body(
                    DumpEntry(
                        kind: "record",
                        fields: [
                            ("offset", .int(record.offset.rawValue)),
                            ("timestamp", .int(record.timestamp.milliseconds)),
                            ("key", text(record.key)), ("value", text(record.value)),
                            ("headers", .int(Int64(record.headers.count))),
                        ]))
            }
        } catch { body(Self.damage("records can't be read: \(error)")) }
    }
}
