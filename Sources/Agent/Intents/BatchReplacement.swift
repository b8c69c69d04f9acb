import KafkaClient
import NIOCore

/// What is put in the place of a pending batch.
struct BatchReplacement {
    var original: BatchID
    var parts: [(id: BatchID, batch: Seal.Batch)]

    init(original: BatchID, parts: [(id: BatchID, batch: Seal.Batch)]) {
        self.original = original
        self.parts = parts
    }

    /// The same batch at another place.
    init(moving batch: SealedBatch, _ bytes: ByteBuffer) {
        original = batch.id
        parts = [
            (
                batch.id,
                Seal.Batch(
                    partition: batch.partition, identity: batch.identity, baseSequence: batch.baseSequence,
                    recordCount: batch.recordCount, bytes: bytes)
            )
        ]
    }

    /// At most what a replacement by one batch takes in a record.
    static func byteCountMax(of batch: SealedBatch) -> Int { 64 + batch.partition.topic.utf8.count + batch.byteCount }

    /// At most what it takes in a record.
    var byteCountMax: Int {
        parts.reduce(16) { $0 + 64 + $1.batch.partition.topic.utf8.count + $1.batch.bytes.readableBytes }
    }
}

extension Seal.Batch {
    func sealed(as id: BatchID) -> SealedBatch {
        SealedBatch(
            id: id, partition: partition, recordCount: recordCount, byteCount: bytes.readableBytes,
            identity: identity, baseSequence: baseSequence)
    }
}
