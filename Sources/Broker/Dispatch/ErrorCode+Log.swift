import KafkaWire
import LogStorage

/// What the log engine's errors are on the wire.
extension ErrorCode {
    init(_ code: AppendError.Code) {
        switch code {
        case .corruptBatch: self = .corruptMessage
        case .messageTooLarge: self = .messageTooLarge
        case .unsupportedMagic: self = .unsupportedForMessageFormat
        case .invalidTxnState: self = .invalidTxnState
        case .coordinatorFenced: self = .transactionCoordinatorFenced
        case .outOfOrderSequence: self = .outOfOrderSequenceNumber
        case .invalidProducerEpoch: self = .invalidProducerEpoch
        case .unknownProducer: self = .unknownProducerId
        case .invalidRecord: self = .invalidRecord
        case .invalidTimestamp: self = .invalidTimestamp
        case .unsupportedCodec: self = .unsupportedCompressionType
        case .noSpace, .offline: self = .kafkaStorageError
        case .offsetsOutOfOrder: self = .unknownServerError
        }
    }

    init(_ code: ReadError.Code) {
        switch code {
        case .offsetOutOfRange: self = .offsetOutOfRange
        case .corrupt, .offline, .inputOutput: self = .kafkaStorageError
        }
    }

    init(_ code: LogError.Code) {
        switch code {
        case .alreadyExists: self = .topicAlreadyExists
        case .unknownPartition: self = .unknownTopicOrPartition
        case .invalidConfig: self = .invalidConfig
        case .invalidOffset: self = .offsetOutOfRange
        case .locked, .offline, .noSpace, .corrupt, .inputOutput: self = .kafkaStorageError
        }
    }
}
