import Base
import NIOCore
import Records

/// Where sealed batches and what became of them are kept: the agent's intent log. Synchronous, used from one thread.
public protocol ProducerJournal: AnyObject {
    /// The bytes of a batch, to be sent as they are: under the identity of the last rebase that named it.
    ///
    /// - Throws: what made them unreadable; the batch is then given up, counted.
    func bytes(of id: BatchID) throws -> ByteBuffer

    /// What the batch is known by under its present identity; nil where it isn't held any more.
    func fingerprint(of id: BatchID) throws -> BatchFingerprint?

    /// Puts the halves of a batch in its place, with its identity and sequences, in one atomic record; where it holds a single record, puts that into the
    /// dead-letter file, and gives the batch up. Durable on return.
    func divide(_ id: BatchID, because refusal: BatchRefusal) throws -> BatchDivision

    /// Durable on return.
    func record(opening: PartitionOpening) throws
    /// Durable on return. The named batches are unacknowledged again, and have their new identities.
    func record(rebase: PartitionRebase) throws
    /// Durable on return.
    func record(producer identity: ProducerIdentity) throws
    /// The batch will never be sent; until the next rebase the partition has a hole. Durable on return.
    func record(givingUp id: BatchID) throws
    /// May be lost by a crash.
    func recordAcknowledgement(of id: BatchID, in partition: TopicPartition, at offset: Offset) throws
    /// May be lost by a crash: it is found out again.
    func recordReopening(of ids: [BatchID]) throws
}

/// What tells whether a batch in a log is the one that was sent, and not another's with the same identity and sequence.
public struct BatchFingerprint: Hashable, Sendable {
    public var checksum: UInt32
    public var codec: Codec
    public var recordCount: Int

    public init(_ batch: RecordBatch) {
        checksum = batch.crc
        codec = batch.codec
        recordCount = batch.recordCount
    }

    /// A broker that stamps the time or compresses anew changes a batch's bytes; then the number of records has to do.
    public func matches(_ stored: RecordBatch) -> Bool {
        if stored.crc == checksum { return true }
        let isRewritten = stored.timestampType == .logAppendTime || stored.codec != codec
        return isRewritten && stored.recordCount == recordCount
    }
}
