import Base
import KafkaClient
import NIOCore
import Records

// What the producer machine has written down, and reads back.
extension IntentLog: ProducerJournal {
    /// A batch of the log that can't be sent.
    public struct Unreadable: Error, CustomStringConvertible {
        public let description: String
    }

    public func bytes(of id: BatchID) throws -> ByteBuffer {
        guard let index = state.index(of: id) else { throw Unreadable(description: "batch \(id) was let go") }
        let intent = state.intents[index]
        // Rebased ones differ from what was sealed.
        if let bytes = takeUnsent(id), !intent.isRebased { return bytes }
        return try storedBytes(of: intent)
    }

    /// From the ring, checked, under the identity that the batch has now.
    func storedBytes(of intent: IntentState.Intent) throws -> ByteBuffer {
        let id = intent.batch.id
        var bytes = try storedBatch(intent)
        do {
            let batch = try RecordBatch(bytes)
            try batch.checkCRC()
            guard batch.recordCount == intent.batch.recordCount else {
                throw Unreadable(description: "batch \(id) holds \(batch.recordCount) records")
            }
        } catch let error as RecordError {
            throw Unreadable(description: "batch \(id) is damaged on disk: \(error)")
        }
        if intent.isRebased {
            RecordBatch.patch(
                identity: intent.batch.identity, baseSequence: intent.batch.baseSequence, in: &bytes)
        }
        return bytes
    }

    public func fingerprint(of id: BatchID) throws -> BatchFingerprint? {
        guard let index = state.index(of: id) else { return nil }
        return BatchFingerprint(try RecordBatch(storedBytes(of: state.intents[index])))
    }

    public func record(opening: PartitionOpening) throws {
        change { $0.apply(opening) }
        try recordDurably(.opening, bytesMax: IntentRecord.headerBytes + 64 + opening.partition.topic.utf8.count) {
            IntentRecord.write(opening, into: &$0)
        }
    }

    public func record(rebase: PartitionRebase) throws {
        change { $0.apply(rebase) }
        let bytes = IntentRecord.headerBytes + 64 + rebase.partition.topic.utf8.count + rebase.batches.count * 8
        try recordDurably(.rebase, bytesMax: bytes) { IntentRecord.write(rebase, into: &$0) }
    }

    public func record(producer identity: ProducerIdentity) throws {
        change { $0.producer = identity }
        try recordDurably(.producer, bytesMax: IntentRecord.headerBytes + 16) { $0.write(identity) }
    }

    public func recordAcknowledgement(of id: BatchID, in partition: TopicPartition, at offset: Offset) throws {
        try noteAcknowledgement(of: id, at: offset)
    }

    public func record(givingUp id: BatchID) throws(FileError) {
        change { $0.giveUp(id) }
        unsent.drop(id)
        try recordDurably(.givenUp, bytesMax: IntentRecord.headerBytes + 8) { $0.writeInteger(id.rawValue) }
    }

    /// Durable with the next seal, which it stands before.
    func record(spread: TopicSpread) throws(FileError) {
        try checkHealth()
        change { $0.spread[spread.topic] = spread.partitionCount }
        let bytes = IntentRecord.headerBytes + 8 + spread.topic.utf8.count
        guard hasSpaceForNote(bytes) else { return try checkpoint() }
        _ = try append(.spread, bytesMax: bytes) {
            $0.write(TopicPartition(topic: spread.topic, partition: spread.partitionCount))
            return []
        }
    }

    public func recordReopening(of ids: [BatchID]) throws {
        change { $0.reopen(ids) }
        try recordDurably(.reopening, bytesMax: IntentRecord.headerBytes + 8 + ids.count * 8) { $0.write(ids) }
    }
}
