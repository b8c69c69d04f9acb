import KafkaWire

/// Why a topic can't be made, changed or removed: the code for the wire, the message for a person.
struct TopicError: Error, Sendable {
    let code: ErrorCode
    let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: MetadataStoreError) {
        switch error.code {
        case .conflict(.topicExists(let name)): self.init(.topicAlreadyExists, "topic '\(name)' exists already")
        case .conflict(.unknownTopic): self.init(.unknownTopicOrPartition, "the topic was deleted in the meantime")
        case .conflict(.partitionCountNotAbove(let count)):
            self.init(.invalidPartitions, "the topic has \(count) partitions already; their number can only grow")
        case .unavailable, .wrongIdentity: self.init(.kafkaStorageError, error.message)
        }
    }
}
