import Base
import KafkaWire

// What the members read, as far as the coordinator can tell: in the classic protocol it is theirs to know.
extension GroupMachine {
    /// The protocol type of consumers, whose members' metadata is a subscription.
    static let consumerProtocolType = "consumer"

    /// The topics that the members subscribe to; nil where that can't be told, since they are no consumers or one of their subscriptions can't be read.
    public var subscribedTopics: Set<String>? {
        guard !members.isEmpty else { return [] }
        guard protocolType == Self.consumerProtocolType else { return nil }
        var topics: Set<String> = []
        for member in members {
            // Assignors differ in what they add, not in how a subscription begins.
            guard let metadata = member.protocols.first?.metadata,
                let subscription = try? ConsumerSubscription.decode(metadata)
            else { return nil }
            topics.formUnion(subscription.topics)
        }
        return topics
    }

    /// Which of the partitions' offsets may be deleted: all of an empty group; of consumers those of topics that they don't read. `.success` names the refused.
    public func offsetDeletionRequested(
        _ partitions: [TopicPartition]
    ) -> Result<[TopicPartition: ErrorCode], OffsetDeletionRefusal> {
        switch state {
        case .dead: return .failure(OffsetDeletionRefusal(code: .groupIdNotFound))
        case .empty: return .success([:])
        case .preparingRebalance, .completingRebalance, .persistingAssignment, .stable:
            guard let read = subscribedTopics else { return .failure(OffsetDeletionRefusal(code: .nonEmptyGroup)) }
            let refused = partitions.filter { read.contains($0.topic) }
            return .success(Dictionary(refused.map { ($0, .groupSubscribedToTopic) }) { first, _ in first })
        }
    }
}

/// Why no offset of a group can be deleted.
public struct OffsetDeletionRefusal: Error, Sendable, Equatable {
    public var code: ErrorCode

    public init(code: ErrorCode) { self.code = code }
}
