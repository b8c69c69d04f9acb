import Base
import KafkaClient
import NIOCore

// How the ring and its checkpoint write what is in both.
extension ByteBuffer {
    mutating func writeText(_ bytes: [UInt8]) {
        precondition(bytes.count <= Int(UInt16.max), "a text of \(bytes.count) bytes")
        writeInteger(UInt16(bytes.count))
        writeBytes(bytes)
    }

    mutating func readText() -> [UInt8]? {
        guard let count: UInt16 = readInteger() else { return nil }
        return readBytes(length: Int(count))
    }

    mutating func write(_ partition: TopicPartition) {
        writeText(Array(partition.topic.utf8))
        writeInteger(partition.partition)
    }

    mutating func readPartition() -> TopicPartition? {
        guard let topic = readText(), let partition: Int32 = readInteger() else { return nil }
        return TopicPartition(topic: String(decoding: topic, as: UTF8.self), partition: partition)
    }

    mutating func write(_ id: KafkaUUID) {
        writeInteger(id.high)
        writeInteger(id.low)
    }

    mutating func readTopicID() -> TopicID? {
        guard let high: UInt64 = readInteger(), let low: UInt64 = readInteger() else { return nil }
        return TopicID(high: high, low: low)
    }

    mutating func write(_ identity: ProducerIdentity) {
        writeInteger(identity.id.rawValue)
        writeInteger(identity.epoch.rawValue)
    }

    mutating func readIdentity() -> ProducerIdentity? {
        guard let id: Int64 = readInteger(), let epoch: Int16 = readInteger() else { return nil }
        return ProducerIdentity(id: ProducerID(id), epoch: ProducerEpoch(epoch))
    }

    /// Returns where the batch's bytes begin.
    mutating func write(_ batch: Seal.Batch) -> Int {
        write(batch.partition)
        write(batch.identity)
        writeInteger(batch.baseSequence)
        writeInteger(batch.recordCount)
        writeInteger(UInt32(batch.bytes.readableBytes))
        defer { writeImmutableBuffer(batch.bytes) }
        return writerIndex
    }

    /// The batch, and where its bytes begin.
    mutating func readBatch(_ id: BatchID) -> (batch: SealedBatch, placeInRecord: Int)? {
        guard let partition = readPartition(), let identity = readIdentity(),
            let sequence: Int32 = readInteger(), let records: Int32 = readInteger(),
            let length: UInt32 = readInteger(), Int(length) <= readableBytes, records > 0
        else { return nil }
        let place = readerIndex
        moveReaderIndex(forwardBy: Int(length))
        let batch = SealedBatch(
            id: id, partition: partition, recordCount: records, byteCount: Int(length), identity: identity,
            baseSequence: sequence)
        return (batch, place)
    }

    mutating func write(_ stream: StreamCheckpoint) {
        writeInteger(stream.stream.rawValue)
        writeText(stream.source.bytes)
        writeText(stream.position.bytes)
    }

    mutating func readStream() -> StreamCheckpoint? {
        guard let stream: UInt64 = readInteger(), let source = readText(), let position = readText(),
            position.count <= StreamPosition.bytesMax.bytes
        else { return nil }
        return StreamCheckpoint(
            stream: StreamID(stream), source: SourceKey(bytes: source), position: StreamPosition(bytes: position))
    }

    mutating func write(_ count: SourceCount) {
        writeText(count.source.bytes)
        writeInteger(count.hour)
        writeInteger(count.lines)
        writeInteger(count.bytes)
    }

    mutating func readSourceCount() -> SourceCount? {
        guard let source = readText(), let hour: Int32 = readInteger(), let lines: UInt64 = readInteger(),
            let bytes: UInt64 = readInteger()
        else { return nil }
        return SourceCount(source: SourceKey(bytes: source), hour: hour, lines: lines, bytes: bytes)
    }

    mutating func write(_ batches: [BatchID]) {
        writeInteger(UInt32(batches.count))
        for batch in batches { writeInteger(batch.rawValue) }
    }

    mutating func readBatchIDs() -> [BatchID]? {
        guard let count = readCount(bytesEach: 8) else { return nil }
        return (0..<count).map { _ in BatchID(readInteger()!) }
    }

    /// A count of things that follow, believed only where there are bytes for them.
    mutating func readCount(bytesEach: Int) -> Int? {
        guard let count: UInt32 = readInteger(), Int(count) * bytesEach <= readableBytes else { return nil }
        return Int(count)
    }
}
