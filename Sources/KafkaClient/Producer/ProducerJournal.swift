import Base
import NIOCore

/// Where sealed batches and what became of them are kept: the agent's intent log. Synchronous, used from one thread.
public protocol ProducerJournal: AnyObject {
    /// The bytes of a batch, to be sent as they are: under the identity of the last rebase that named it.
    ///
    /// - Throws: what made them unreadable; the batch is then given up, counted.
    func bytes(of id: BatchID) throws -> ByteBuffer

    /// The CRC that the batch carries under its present identity, as `bytes(of:)` would show it; nil where it isn't held any more.
    func checksum(of id: BatchID) throws -> UInt32?

    /// Durable on return.
    func record(opening: PartitionOpening) throws
    /// Durable on return. The named batches are unacknowledged again, and have their new identities.
    func record(rebase: PartitionRebase) throws
    /// Durable on return.
    func record(producer identity: ProducerIdentity) throws
    /// May be lost by a crash.
    func recordAcknowledgement(of id: BatchID, in partition: TopicPartition, at offset: Offset) throws
    /// May be lost by a crash: it is found out again.
    func recordReopening(of ids: [BatchID]) throws
}
