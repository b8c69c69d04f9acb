import Base
import KafkaConnection
import KafkaWire

/// A place in a partition, by what stands there.
public enum OffsetQuery: Sendable, Hashable {
    /// The first record that is still there.
    case earliest
    /// After the last record; with `readCommitted` the last stable offset.
    case latest
    /// The first record of this timestamp or a later one.
    case timestamp(Timestamp)

    var wireValue: Int64 {
        switch self {
        case .earliest: -2
        case .latest: -1
        case .timestamp(let timestamp): max(timestamp.milliseconds, 0)
        }
    }
}

/// Which records a reader sees.
public enum IsolationLevel: Int8, Sendable {
    case readUncommitted = 0
    /// Not those of transactions that were aborted, or are still open.
    case readCommitted = 1
}

public struct OffsetAnswer: Sendable, Equatable {
    /// `.none` where no record is that late.
    public var offset: Offset
    public var timestamp: Timestamp
    public var leaderEpoch: LeaderEpoch
}

extension KafkaCluster {
    /// Looks offsets up at the leaders, retrying until all have answered (`settings.retryTimeout`).
    public func offsets(
        _ queries: [TopicPartition: OffsetQuery], isolation: IsolationLevel = .readCommitted
    ) async throws(ClientError) -> [TopicPartition: OffsetAnswer] {
        var found: [TopicPartition: OffsetAnswer] = [:]
        let deadline = time.now + settings.retryTimeout
        var backoff = settings.backoff
        while true {
            var failure: ClientError?
            let open = queries.filter { found[$0.key] == nil }
            for (leader, partitions) in try await leaders(of: open.keys, failure: &failure) {
                do throws(ClientError) {
                    let asked = queries.filter { partitions.contains($0.key) }
                    let answers = try await askForOffsets(
                        asked, leader: leader, isolation: isolation, failure: &failure)
                    found.merge(answers) { $1 }
                } catch {
                    for partition in partitions { doubt(topic: partition.topic) }
                    failure = error
                }
            }
            guard let failure else { return found }
            let delay = backoff.next()
            guard failure.isRetriable, time.now + delay < deadline else { throw failure }
            try await pause(delay)
        }
    }

    /// One partition's offset, retried like `offsets`.
    public func offset(
        of partition: TopicPartition, at query: OffsetQuery, isolation: IsolationLevel = .readCommitted
    ) async throws(ClientError) -> OffsetAnswer {
        guard let answer = try await offsets([partition: query], isolation: isolation)[partition] else {
            throw ClientError(.protocolViolation, "ListOffsets of \(partition) was answered without it")
        }
        return answer
    }

    private func leaders(
        of partitions: some Collection<TopicPartition>, failure: inout ClientError?
    ) async throws(ClientError) -> [BrokerID: Set<TopicPartition>] {
        var leaders: [BrokerID: Set<TopicPartition>] = [:]
        for partition in partitions {
            do {
                leaders[try await leader(of: partition).broker, default: []].insert(partition)
            } catch {
                guard error.isRetriable else { throw error }
                failure = error
            }
        }
        return leaders
    }

    private func askForOffsets(
        _ queries: [TopicPartition: OffsetQuery], leader: BrokerID, isolation: IsolationLevel,
        failure: inout ClientError?
    ) async throws(ClientError) -> [TopicPartition: OffsetAnswer] {
        var request = ListOffsetsRequest()
        request.replicaId = -1
        request.isolationLevel = isolation.rawValue
        for (name, partitions) in Dictionary(grouping: queries, by: \.key.topic).sorted(by: { $0.key < $1.key }) {
            var topic = ListOffsetsRequest.ListOffsetsTopic()
            topic.name = name
            topic.partitions = partitions.map { entry in
                var partition = ListOffsetsRequest.ListOffsetsPartition()
                partition.partitionIndex = entry.key.partition
                partition.timestamp = entry.value.wireValue
                return partition
            }
            request.topics.append(topic)
        }
        // Before v2 there is no isolation level; the field is then left out.
        let response: ListOffsetsResponse
        do {
            response = try await send(request, to: .broker(leader))
        } catch  where error.code == .unsupportedVersion && isolation != .readUncommitted {
            request.isolationLevel = IsolationLevel.readUncommitted.rawValue
            response = try await send(request, to: .broker(leader))
        }
        var answers: [TopicPartition: OffsetAnswer] = [:]
        for topic in response.topics {
            for answer in topic.partitions {
                let partition = TopicPartition(topic: topic.name, partition: answer.partitionIndex)
                if let error = ClientError(answer.errorCode, "ListOffsets of \(partition)") {
                    guard error.isRetriable else { throw error }
                    doubt(topic: topic.name)
                    failure = error
                    continue
                }
                answers[partition] = OffsetAnswer(
                    offset: Offset(answer.offset), timestamp: Timestamp(milliseconds: answer.timestamp),
                    leaderEpoch: LeaderEpoch(answer.leaderEpoch))
            }
        }
        return answers
    }
}
