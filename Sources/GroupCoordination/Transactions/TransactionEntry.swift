import Base
import KafkaWire
import NIOCore

/// Where a transactional id stands; the numbers are those of `__transaction_state`.
public enum TransactionStatus: Int8, Sendable, CaseIterable {
    /// Initialised, nothing written yet.
    case empty = 0
    case ongoing = 1
    /// Decided, durably; the markers are on their way.
    case prepareCommit = 2
    case prepareAbort = 3
    /// Every marker is in its partition.
    case completeCommit = 4
    case completeAbort = 5
    /// Expired; about to be forgotten.
    case dead = 6
    /// Kafka fences a producer whose transaction it aborts in two steps, and names the first so. Never written.
    case prepareEpochFence = 7

    /// As Kafka's tools show it.
    public var name: String {
        switch self {
        case .empty: "Empty"
        case .ongoing: "Ongoing"
        case .prepareCommit: "PrepareCommit"
        case .prepareAbort: "PrepareAbort"
        case .completeCommit: "CompleteCommit"
        case .completeAbort: "CompleteAbort"
        case .dead: "Dead"
        case .prepareEpochFence: "PrepareEpochFence"
        }
    }

    public init?(name: String) {
        guard let status = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = status
    }

    var isPreparing: Bool { self == .prepareCommit || self == .prepareAbort }
}

/// What is known of a transactional id: a record of `__transaction_state`.
public struct TransactionEntry: Sendable, Equatable {
    public var producerID: ProducerID
    public var epoch: ProducerEpoch
    public var timeout: Duration
    public var status: TransactionStatus
    /// Those that get a marker.
    public var partitions: Set<TopicPartition> = []
    public var updatedAt: Timestamp
    /// When the open transaction began, else `.none`.
    public var startedAt = Timestamp.none
    /// The id before this one, whose epochs were used up; or `.none`.
    public var previousID = ProducerID.none
    /// The id that takes over when the markers are written, or `.none`.
    public var nextID = ProducerID.none
    /// The epoch before the last bump that the producer asked for, so that it may ask again; not in the log.
    public var lastEpoch = ProducerEpoch.none
    /// 2 where the transaction's end raised the epoch (KIP-890), else 0.
    public var clientVersion: Int16 = 0

    public init(
        producerID: ProducerID, epoch: ProducerEpoch, timeout: Duration, status: TransactionStatus, updatedAt: Timestamp
    ) {
        self.producerID = producerID
        self.epoch = epoch
        self.timeout = timeout
        self.status = status
        self.updatedAt = updatedAt
    }

    /// What aborts are told apart from.
    public var commits: Bool { status == .prepareCommit || status == .completeCommit }
}

/// A record of `__transaction_state` in Kafka's own layout (key v0; value v0, or v1 where it holds what v0 can't).
public enum TransactionRecord: Sendable, Equatable {
    /// Nil is a tombstone: the id expired.
    case entry(id: String, TransactionEntry?)
    /// Of a kind that this broker does not know.
    case other

    public func encoded() throws(WireError) -> (key: ByteBuffer, value: ByteBuffer?) {
        guard case .entry(let id, let entry) = self else { preconditionFailure("such records are never written here") }
        var key = TransactionLogKey()
        key.transactionalId = id
        guard let entry else { return (try key.encodeRecord(), nil) }
        var value = TransactionLogValue()
        value.producerId = entry.producerID.rawValue
        value.producerEpoch = entry.epoch.rawValue
        value.transactionTimeoutMs = Int32(clamping: entry.timeout.milliseconds)
        value.transactionStatus = entry.status.rawValue
        value.transactionLastUpdateTimestampMs = entry.updatedAt.milliseconds
        value.transactionStartTimestampMs = entry.startedAt.milliseconds
        value.transactionPartitions =
            entry.status == .empty
            ? nil
            : Dictionary(grouping: entry.partitions, by: \.topic).sorted { $0.key < $1.key }.map { topic, partitions in
                TransactionLogValue.PartitionsSchema(
                    topic: topic, partitionIds: partitions.map(\.partition).sorted())
            }
        value.previousProducerId = entry.previousID.rawValue
        value.nextProducerId = entry.nextID.rawValue
        value.clientTransactionVersion = entry.clientVersion
        let isPlain = entry.previousID == .none && entry.nextID == .none && entry.clientVersion == 0
        return (try key.encodeRecord(), try value.encodeRecord(version: isPlain ? 0 : 1))
    }

    public static func decode(key: ByteBuffer, value: ByteBuffer?) throws(WireError) -> TransactionRecord {
        var reader = WireReader(key)
        guard try reader.readInt16() == TransactionLogKey.recordType else { return .other }
        let id = try TransactionLogKey(from: &reader, version: 0).transactionalId
        guard let value else { return .entry(id: id, nil) }
        let stored = try TransactionLogValue.decodeRecord(value)
        guard let status = TransactionStatus(rawValue: stored.transactionStatus) else { return .other }
        var entry = TransactionEntry(
            producerID: ProducerID(stored.producerId), epoch: ProducerEpoch(stored.producerEpoch),
            timeout: .milliseconds(Int64(stored.transactionTimeoutMs)), status: status,
            updatedAt: Timestamp(milliseconds: stored.transactionLastUpdateTimestampMs))
        entry.startedAt = Timestamp(milliseconds: stored.transactionStartTimestampMs)
        entry.previousID = ProducerID(stored.previousProducerId)
        entry.nextID = ProducerID(stored.nextProducerId)
        entry.clientVersion = stored.clientTransactionVersion
        for topic in stored.transactionPartitions ?? [] {
            for partition in topic.partitionIds {
                entry.partitions.insert(TopicPartition(topic: topic.topic, partition: partition))
            }
        }
        return .entry(id: id, entry)
    }
}
