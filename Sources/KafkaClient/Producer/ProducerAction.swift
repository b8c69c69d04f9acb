import Base
import KafkaWire

/// What the producer machine wants done, in this order. A `record…` action must have happened before the actions after it.
public enum ProducerAction: Sendable, Equatable {
    /// Send the stored bytes, as they are under the batch's identity, to the partition's leader. Answered by `produced`.
    case send(SealedBatch)
    /// Ask the leader what it knows of the partition and of this producer. Answered by `inspected`.
    case inspect(InspectRequest)
    /// Look for batches in the log. Answered by `scanned`.
    case scan(ScanRequest)
    /// Put smaller batches in the place of one that the broker refused for good, or set its only record aside. Answered by `divided`.
    case divide(SealedBatch, BatchRefusal)
    /// Ask any broker for a producer id of our own (InitProducerId without a transactional id). Answered by `producerIDObtained`.
    case obtainProducerID
    /// Find the partition's leader anew before the next request to it.
    case refreshMetadata(TopicPartition)

    /// Durably, before anything is sent: where the partition's log ended before our first batch.
    case recordOpening(PartitionOpening)
    /// Durably, before anything is sent: these batches have other identities from here on.
    case recordRebase(PartitionRebase)
    /// Durably: new partitions begin with this identity.
    case recordProducerID(ProducerIdentity)
    /// The broker holds the batch. Losing this note costs a question at the next start, no more.
    case recordAcknowledgement(BatchID, TopicPartition, Offset)
    /// Durably: the batch is not sent any more, and its sequences are missing.
    case recordGivingUp(BatchID)
    /// The broker lost what it had acknowledged: the intents are needed again.
    case recordReopening([BatchID])

    /// Tell whoever watches.
    case report(ProducerNotice)
}

/// The first look at a partition.
public struct PartitionOpening: Hashable, Sendable {
    public var partition: TopicPartition
    public var topicID: TopicID
    /// Nothing of ours stands below it.
    public var floor: Offset

    public init(partition: TopicPartition, topicID: TopicID, floor: Offset) {
        self.partition = partition
        self.topicID = topicID
        self.floor = floor
    }
}

/// Gives the batches, in this order, the sequences from 0 on under a new identity. All pending batches of the partition are in it.
public struct PartitionRebase: Hashable, Sendable {
    public var partition: TopicPartition
    public var topicID: TopicID
    public var identity: ProducerIdentity
    public var floor: Offset
    public var batches: [BatchID]

    public init(
        partition: TopicPartition, topicID: TopicID, identity: ProducerIdentity, floor: Offset, batches: [BatchID]
    ) {
        self.partition = partition
        self.topicID = topicID
        self.identity = identity
        self.floor = floor
        self.batches = batches
    }
}

/// A question to a partition's leader.
public struct InspectRequest: Hashable, Sendable {
    public var partition: TopicPartition
    public var producer: ProducerID
    /// Goes back with the answer, so that a late one is known.
    public var number: UInt32

    public init(partition: TopicPartition, producer: ProducerID, number: UInt32) {
        self.partition = partition
        self.producer = producer
        self.number = number
    }
}

/// Look through the batch headers of a partition from `from` to its present end for batches that have the identity, the sequences
/// and the CRC of a candidate.
public struct ScanRequest: Hashable, Sendable {
    public var partition: TopicPartition
    /// Goes back with the answer.
    public var number: UInt32
    public var from: Offset
    /// Stop before this offset; nil is the end of the log.
    public var upTo: Offset?
    public var candidates: [SealedBatch]
    /// Give up, incomplete, after so many bytes.
    public var bytesMax: ByteCount

    public init(
        partition: TopicPartition, number: UInt32, from: Offset, upTo: Offset?, candidates: [SealedBatch],
        bytesMax: ByteCount
    ) {
        self.partition = partition
        self.number = number
        self.from = from
        self.upTo = upTo
        self.candidates = candidates
        self.bytesMax = bytesMax
    }
}

/// Why the broker will never take a batch as it is.
public struct BatchRefusal: Hashable, Sendable, CustomStringConvertible {
    public var code: ErrorCode
    public var message: String

    public var description: String { message.isEmpty ? code.description : "\(code): \(message)" }

    public init(code: ErrorCode, message: String) {
        self.code = code
        self.message = message
    }
}

/// What became of a batch that was to be divided. Durable when it is told.
public enum BatchDivision: Sendable, Equatable {
    /// These take its place, in this order, with its identity and sequences.
    case parts([SealedBatch])
    /// It held a single record, which stands among the dead letters now.
    case setAside
    /// Not now: no room, or what was sealed can't be read.
    case impossible(reason: String)
}

/// How a Produce ended.
public enum ProduceOutcome: Sendable, Equatable {
    /// `.none` where the broker knows that it has the batch but not where.
    case acknowledged(baseOffset: Offset)
    case refused(ErrorCode, message: String)
    /// No answer: the batch may have been appended.
    case unanswered(reason: String)
    /// It didn't leave this process.
    case unsent(reason: String)
}

/// What a partition's leader knows.
public struct PartitionReport: Sendable, Equatable {
    public enum Producer: Sendable, Equatable {
        case known(ProducerEpoch, lastSequence: Int32)
        /// The broker has no memory of this producer id.
        case unknown
        /// The broker can't or won't tell (no DescribeProducers before Kafka 2.8, or no permission).
        case unavailable
    }

    /// `.zero` where the broker has no topic ids.
    public var topicID: TopicID
    public var logStart: Offset
    public var logEnd: Offset
    public var producer: Producer

    public init(topicID: TopicID, logStart: Offset, logEnd: Offset, producer: Producer) {
        self.topicID = topicID
        self.logStart = logStart
        self.logEnd = logEnd
        self.producer = producer
    }
}

public enum InspectOutcome: Sendable, Equatable {
    case report(PartitionReport)
    case failed(reason: String)
}

public enum ScanOutcome: Sendable, Equatable {
    /// `from` is where the scan really began (the log may start later than asked), `end` the first offset that it didn't see.
    case found([BatchID: Offset], from: Offset, end: Offset, isComplete: Bool)
    /// To be tried again.
    case failed(reason: String)
    /// This client may not read the topic, so that nothing can be found out.
    case refused(reason: String)
}

/// What became of a request that an action asked for.
public enum ProducerAnswer: Sendable, Equatable {
    case produced(BatchID, TopicPartition, ProduceOutcome)
    case inspected(TopicPartition, number: UInt32, InspectOutcome)
    case scanned(TopicPartition, number: UInt32, ScanOutcome)
    case producerIDObtained(ProducerIdentity)
    case producerIDFailed(reason: String)
}

/// What an operator has to know. Each is counted by whoever runs the machine; none may be ignored silently.
public enum ProducerNotice: Sendable, Equatable {
    case acknowledged(TopicPartition, records: Int, bytes: Int)
    case retrying(TopicPartition, reason: String)
    /// A batch that only a person can help.
    case held(TopicPartition, ErrorCode, message: String)
    /// A batch that the broker refused for good was replaced by smaller ones.
    case divided(TopicPartition, BatchID, BatchRefusal, parts: Int)
    /// A single record that the broker will never take was put into the dead-letter file.
    case setAside(TopicPartition, BatchID, BatchRefusal)
    /// A batch that the broker refused for good can't be divided now: it is held.
    case indivisible(TopicPartition, BatchRefusal, reason: String)
    case reconciling(TopicPartition, reason: String)
    /// What a reconciliation came to.
    case reconciled(TopicPartition, present: Int, sentAgain: Int)
    /// The broker lost batches that it had acknowledged; they are sent again.
    case tailLost(TopicPartition, batches: Int, records: Int)
    /// The broker had appended batches and lost them before its answer came, though it kept later ones; they are sent again, and who had read them
    /// reads them twice. At durability fsync nobody had.
    case refilled(TopicPartition, batches: Int, records: Int)
    /// The broker lost acknowledged records that the intent log no longer holds: so many, as far as it can be told, and rather more than less.
    case acknowledgedLost(TopicPartition, records: Int64)
    /// Whether these had been appended can't be known: they are sent again (`repeat`), or not (`skip`).
    case ambiguous(TopicPartition, batches: Int, records: Int, policy: AmbiguityPolicy)
    /// Somebody else ships with our identity, or our state is older than what we sent: a clone or a restored backup.
    case staleState(TopicPartition, evidence: String)
    case topicRecreated(TopicPartition)
    case producerIDChanged(from: ProducerIdentity, to: ProducerIdentity)
    case producerIDUnavailable(reason: String)
    /// A stored batch can't be read back from the intent log.
    case intentUnreadable(TopicPartition, BatchID, records: Int, reason: String)
}

/// What to do with batches of which nobody can tell whether the broker has them.
public enum AmbiguityPolicy: String, Sendable, Equatable, CaseIterable {
    /// Send again: perhaps twice, never lost.
    case `repeat`
    /// Leave out: perhaps lost, never twice.
    case skip
}
