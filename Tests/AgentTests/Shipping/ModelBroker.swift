import Base
import KafkaClient
import KafkaWire
import NIOCore
import Records
import TestKit

/// What Apache Kafka does with idempotent batches, and what it forgets, in a few lines and in virtual time.
final class ModelBroker {
    struct Stored {
        var offset: Int64
        var batch: RecordBatch
        var lines: [String]
        /// Counts appends to all partitions.
        var order = 0
    }

    struct Producer {
        var epoch: Int16
        /// The newest last; five at most.
        var batches: [(base: Int32, last: Int32, offset: Int64)]
    }

    struct Partition {
        var topicID = TopicID(high: 9, low: 9)
        var log: [Stored] = []
        var producers: [ProducerID: Producer] = [:]
        var end: Int64 = 0
    }

    var partitions: [TopicPartition: Partition] = [:]
    var nextProducerID: Int64 = 1000
    var isUp = true
    /// What it takes of a topic: how many partitions, how large batches; nothing of one without permission.
    var partitionCount: Int32 = 2
    var batchBytesMax = Int.max
    var forbidden: Set<String> = []
    var unknown: Set<String> = []
    /// Whether records that `isPoison` says are not valid.
    var validates = false
    private var appends = 0

    static func isPoison(_ line: String) -> Bool { line.contains("13 x") }

    /// Counts restarts: connections of an earlier one are gone.
    var life = 0
    var duplicates = 0

    static let other = ProducerIdentity(id: ProducerID(1), epoch: ProducerEpoch(0))

    func obtainProducerID() -> ProducerIdentity {
        nextProducerID += 1
        return ProducerIdentity(id: ProducerID(nextProducerID), epoch: ProducerEpoch(0))
    }

    func produce(_ target: TopicPartition, _ bytes: ByteBuffer) -> ProduceOutcome {
        guard let batch = try? RecordBatch(bytes), (try? batch.checkCRC()) != nil else {
            return .refused(.corruptMessage, message: "")
        }
        if forbidden.contains(target.topic) { return .refused(.topicAuthorizationFailed, message: "") }
        if bytes.readableBytes > batchBytesMax { return .refused(.messageTooLarge, message: "") }
        let lines = Self.lines(of: batch)
        if validates, lines.contains(where: Self.isPoison) { return .refused(.invalidRecord, message: "poison") }
        var partition = partitions[target, default: Partition()]
        let (base, last) = (batch.baseSequence, batch.lastSequence)
        var producer = Producer(epoch: batch.producerEpoch.rawValue, batches: [])
        if let known = partition.producers[batch.producerID] {
            if batch.producerEpoch.rawValue < known.epoch { return .refused(.invalidProducerEpoch, message: "") }
            if batch.producerEpoch.rawValue > known.epoch {
                if base != 0 { return .refused(.outOfOrderSequenceNumber, message: "") }
            } else {
                if let same = known.batches.first(where: { $0.base == base && $0.last == last }) {
                    duplicates += 1
                    return .acknowledged(baseOffset: Offset(same.offset))
                }
                guard base == Sequence32.advance(known.batches.last!.last, by: 1) else {
                    return .refused(.outOfOrderSequenceNumber, message: "")
                }
                producer = known
            }
        }
        let offset = partition.end
        producer.batches.append((base, last, offset))
        if producer.batches.count > 5 { producer.batches.removeFirst() }
        partition.producers[batch.producerID] = producer
        appends += 1
        partition.log.append(Stored(offset: offset, batch: batch, lines: lines, order: appends))
        partition.end += Int64(batch.recordCount)
        partitions[target] = partition
        return .acknowledged(baseOffset: Offset(offset))
    }

    static func lines(of batch: RecordBatch) -> [String] {
        var lines: [String] = []
        var records = try! batch.records(decompressedMax: .mib(16))
        while let record = try! records.next() {
            lines.append(String(decoding: record.value!.readableBytesView, as: UTF8.self))
        }
        return lines
    }

    func inspect(_ target: TopicPartition, _ producer: ProducerID) -> PartitionReport {
        let partition = partitions[target, default: Partition()]
        let known = partition.producers[producer].map {
            PartitionReport.Producer.known(ProducerEpoch($0.epoch), lastSequence: $0.batches.last!.last)
        }
        return PartitionReport(
            topicID: partition.topicID, logStart: .zero, logEnd: Offset(partition.end), producer: known ?? .unknown)
    }

    func scan(_ request: ScanRequest, _ fingerprints: [BatchID: BatchFingerprint]) -> ScanOutcome {
        let partition = partitions[request.partition, default: Partition()]
        var found: [BatchID: Offset] = [:]
        for stored in partition.log where stored.offset >= request.from.rawValue {
            if let upTo = request.upTo, stored.offset >= upTo.rawValue { break }
            for candidate in request.candidates
            where candidate.identity.id == stored.batch.producerID
                && candidate.identity.epoch == stored.batch.producerEpoch
                && candidate.baseSequence == stored.batch.baseSequence
            {
                if fingerprints[candidate.id]?.matches(stored.batch) == true {
                    found[candidate.id] = Offset(stored.offset)
                }
            }
        }
        return .found(found, from: request.from, end: Offset(partition.end), isComplete: true)
    }

    // MARK: - What happens to brokers

    /// A snapshot keeps one batch of each producer.
    func restart() {
        life += 1
        for target in partitions.keys {
            for producer in partitions[target]!.producers.keys {
                let batches = partitions[target]!.producers[producer]!.batches
                partitions[target]!.producers[producer]!.batches = [batches.last!]
            }
        }
    }

    func forgetProducers() {
        restart()
        for target in partitions.keys { partitions[target]!.producers = [:] }
    }

    /// Power went, and with it the last batches; what is known of producers comes from what is left, or not at all.
    func loseTail(using random: inout SeededRandom) {
        restart()
        for target in partitions.keys.sorted() {
            let log = partitions[target]!.log
            let kept = max(0, log.count - Int.random(in: 0...6, using: &random))
            partitions[target]!.log = Array(log.prefix(kept))
            partitions[target]!.end = partitions[target]!.log.last.map { $0.offset + Int64($0.batch.recordCount) } ?? 0
            partitions[target]!.producers = [:]
            if random.oneIn(3) { continue }
            for stored in partitions[target]!.log {
                partitions[target]!.producers[stored.batch.producerID] = Producer(
                    epoch: stored.batch.producerEpoch.rawValue,
                    batches: [(stored.batch.baseSequence, stored.batch.lastSequence, stored.offset)])
            }
        }
    }

    /// Others write, too.
    func appendForeign(_ target: TopicPartition) {
        var builder = RecordBatchBuilder(codec: .none, capacity: .kib(64))
        Array("foreign".utf8).withUnsafeBytes {
            _ = builder.append(timestamp: Timestamp(milliseconds: 1), key: nil, value: $0)
        }
        let bytes = try! builder.seal()
        var partition = partitions[target, default: Partition()]
        partition.log.append(Stored(offset: partition.end, batch: try! RecordBatch(bytes), lines: []))
        partition.end += 1
        partitions[target] = partition
    }

    var lines: [TopicPartition: [String]] { partitions.mapValues { $0.log.flatMap(\.lines) } }
}
