import KafkaWire

/// What follows from the error of a Produce response.
///
/// A sealed batch is never given up for an error: what no retry can mend is held, said loudly and tried again now and then, until
/// somebody mends the topic, the permission or the limit. Only a single record that the broker will never take is set aside.
public enum ProduceVerdict: Sendable, Equatable {
    case acknowledged
    /// Send the same bytes again. `refreshingMetadata` where another broker may have to take them.
    case retry(refreshingMetadata: Bool)
    /// The broker's memory of this producer and ours disagree: find out what it holds, and only then send.
    case reconcile
    /// Somebody else uses this producer id with a higher epoch: take a new one.
    case renew
    /// The batch is too large, or a record of it isn't valid: divide it until what the broker doesn't take stands alone.
    case divide
    /// Needs a person.
    case hold

    public init(_ code: ErrorCode) {
        switch code.rawValue {
        case 0: self = .acknowledged
        case 45, 46, 59:  // OUT_OF_ORDER_SEQUENCE_NUMBER, DUPLICATE_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID
            self = .reconcile
        case 47, 49, 90:  // INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED
            self = .renew
        case 3, 5, 6, 8, 9, 41, 56, 72, 74, 75, 80, 83, 100, 103, 106:
            // UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, BROKER_NOT_AVAILABLE,
            // REPLICA_NOT_AVAILABLE, NOT_CONTROLLER, KAFKA_STORAGE_ERROR, LISTENER_NOT_FOUND, FENCED_LEADER_EPOCH,
            // UNKNOWN_LEADER_EPOCH, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE, UNKNOWN_TOPIC_ID,
            // INCONSISTENT_TOPIC_ID, FETCH_SESSION_TOPIC_ID_ERROR
            self = .retry(refreshingMetadata: true)
        case -1, 2, 7, 13, 14, 15, 16, 19, 20, 48, 51, 60, 78, 84, 89, 120:
            // UNKNOWN_SERVER_ERROR, CORRUPT_MESSAGE, REQUEST_TIMED_OUT, NETWORK_EXCEPTION, COORDINATOR_…, NOT_ENOUGH_REPLICAS,
            // NOT_ENOUGH_REPLICAS_AFTER_APPEND, INVALID_TXN_STATE, CONCURRENT_TRANSACTIONS, REASSIGNMENT_IN_PROGRESS,
            // OFFSET_NOT_AVAILABLE, ELECTION_NOT_NEEDED, THROTTLING_QUOTA_EXCEEDED, TRANSACTION_ABORTABLE
            self = .retry(refreshingMetadata: false)
        case 10, 18, 87:  // MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_RECORD
            self = .divide
        default:
            // INVALID_TOPIC_EXCEPTION, INVALID_REQUIRED_ACKS, …_AUTHORIZATION_FAILED, INVALID_TIMESTAMP, UNSUPPORTED_VERSION,
            // INVALID_REQUEST, UNSUPPORTED_FOR_MESSAGE_FORMAT, POLICY_VIOLATION, UNSUPPORTED_COMPRESSION_TYPE, and what Kafka will
            // think of next
            self = .hold
        }
    }
}
