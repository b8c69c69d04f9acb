import Base
import KafkaConnection
import KafkaWire
import LogStorage
import NIOCore

/// One attempt to read what a fetch asks for: what is there for each partition, and the stretches of files that belong into the response.
struct FetchReading {
    /// Below this many bytes a copy is cheaper than `sendfile`, which costs a system call of its own.
    private static let copyBytesMax = 8 << 10

    private(set) var answers: [(asked: AskedPartition, data: FetchResponse.PartitionData)] = []
    private(set) var files: [[FileSlice]] = []
    private(set) var byteCount = 0
    private(set) var hasError = false
    /// The partitions that were read, and how far each could be read at that moment.
    private(set) var visibleEnds: [(partition: Partition, end: Offset)] = []

    /// Reads the targets in their order, `bytesMax` in all; the first batch is always given whole, or a consumer could get stuck before it.
    init(_ call: Call<FetchRequest>, targets: [PendingFetch.Target], bytesMax: Int, brokerID: BrokerID) {
        answers.reserveCapacity(targets.count)
        for target in targets {
            var data = FetchResponse.PartitionData()
            data.partitionIndex = target.asked.request.partition
            data.records = .bytes(ByteBuffer())
            if let partition = target.partition {
                read(partition, target.asked.request, call, bytesMax: bytesMax, brokerID: brokerID, into: &data)
            } else {
                data.errorCode = target.error
            }
            if data.errorCode.isError {
                hasError = true
                if data.highWatermark == 0 { data.highWatermark = -1 }
            }
            answers.append((target.asked, data))
        }
    }

    /// The response with the answers that are to be in it; partitions of one topic that follow each other share its entry.
    func response(sessionID: Int32, included: [Bool]) -> FetchResponse {
        var response = FetchResponse()
        response.sessionId = sessionID
        var last: (topic: String, id: TopicID)?
        for (answer, isIncluded) in zip(answers, included) where isIncluded {
            if last?.topic != answer.asked.topic || last?.id != answer.asked.topicID {
                var topic = FetchResponse.FetchableTopicResponse()
                topic.topic = answer.asked.topic
                topic.topicId = answer.asked.topicID
                response.responses.append(topic)
                last = (answer.asked.topic, answer.asked.topicID)
            }
            response.responses[response.responses.count - 1].partitions.append(answer.data)
        }
        return response
    }

    /// True where a partition can be read further than when it was, or is gone.
    func hasMoreSince(isolation: Int8) -> Bool {
        visibleEnds.contains { partition, end in
            partition.isDeleted || (isolation == 1 ? partition.log.lastStableOffset : partition.log.highWatermark) > end
        }
    }

    private mutating func read(
        _ partition: Partition, _ request: FetchRequest.FetchPartition, _ call: Call<FetchRequest>, bytesMax: Int,
        brokerID: BrokerID, into data: inout FetchResponse.PartitionData
    ) {
        let log = partition.log
        guard !partition.isDeleted else {
            data.errorCode = call.version >= 13 ? .unknownTopicId : .unknownTopicOrPartition
            return
        }
        data.errorCode = partition.check(currentLeaderEpoch: request.currentLeaderEpoch)
        guard !data.errorCode.isError else {
            if call.version >= 12 {
                data.currentLeader.leaderId = brokerID.rawValue
                data.currentLeader.leaderEpoch = partition.leaderEpoch.rawValue
            }
            return
        }
        let isCommittedOnly = call.request.isolationLevel == 1
        data.logStartOffset = log.logStartOffset.rawValue
        data.highWatermark = log.highWatermark.rawValue
        data.lastStableOffset = log.lastStableOffset.rawValue
        if let divergence = Self.divergence(log, request) {
            data.divergingEpoch = divergence
            hasError = true
            return
        }
        // Taken before the read: an append in between is seen as "more since".
        visibleEnds.append((partition, isCommittedOnly ? log.lastStableOffset : log.highWatermark))
        let partitionBytesMax = min(max(0, Int(request.partitionMaxBytes)), bytesMax - byteCount)
        guard partitionBytesMax > 0 || byteCount == 0 else { return }
        do throws(ReadError) {
            let slice = try log.read(
                from: Offset(request.fetchOffset), bytesMax: ByteCount(partitionBytesMax),
                atLeastOneBatch: byteCount == 0, upTo: isCommittedOnly ? .lastStableOffset : .highWatermark)
            data.highWatermark = slice.highWatermark.rawValue
            data.lastStableOffset = slice.lastStableOffset.rawValue
            data.logStartOffset = slice.logStartOffset.rawValue
            if isCommittedOnly {
                data.abortedTransactions = slice.abortedTransactions.map { aborted in
                    var transaction = FetchResponse.AbortedTransaction()
                    transaction.producerId = aborted.producerID.rawValue
                    transaction.firstOffset = aborted.firstOffset.rawValue
                    return transaction
                }
            }
            try take(slice, into: &data)
        } catch {
            data.errorCode = ErrorCode(error.code)
            if error.code == .offsetOutOfRange { data.highWatermark = log.highWatermark.rawValue }
        }
    }

    private mutating func take(_ slice: LogSlice, into data: inout FetchResponse.PartitionData) throws(ReadError) {
        guard slice.byteCount > 0 else { return }
        if slice.byteCount <= Self.copyBytesMax {
            data.records = .bytes(try slice.bytes())
        } else {
            data.records = .external(byteCount: slice.byteCount, tag: files.count)
            files.append(slice.regions.map { FileSlice(file: $0.file, position: $0.position, byteCount: $0.byteCount) })
        }
        byteCount += slice.byteCount
    }

    /// Where the reader's log and ours parted, for one that says under which epoch it read last (KIP-595).
    private static func divergence(_ log: PartitionLog, _ request: FetchRequest.FetchPartition) -> FetchResponse
        .EpochEndOffset?
    {
        guard request.lastFetchedEpoch >= 0 else { return nil }
        guard let (epoch, end) = log.endOffset(for: LeaderEpoch(request.lastFetchedEpoch)) else { return nil }
        guard epoch.rawValue < request.lastFetchedEpoch || end.rawValue < request.fetchOffset else { return nil }
        var divergence = FetchResponse.EpochEndOffset()
        divergence.epoch = epoch.rawValue
        divergence.endOffset = end.rawValue
        return divergence
    }
}

extension Partition {
    /// Whether a client that takes `epoch` for the leader's is right (KIP-320); −1 claims nothing.
    func check(currentLeaderEpoch epoch: Int32) -> ErrorCode {
        if epoch < 0 || epoch == leaderEpoch.rawValue { return .none }
        return epoch < leaderEpoch.rawValue ? .fencedLeaderEpoch : .unknownLeaderEpoch
    }
}
