import Base

/// Why an append was refused. Nothing of it is visible; whether the caller may try again is told by `code.isRetriable`.
public struct AppendError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The CRC does not match, or lengths contradict each other.
        case corruptBatch
        /// Larger than `max.message.bytes`, or than a segment.
        case messageTooLarge
        /// Message formats v0 and v1 are not taken.
        case unsupportedMagic
        case outOfOrderSequence
        /// A newer instance of the producer is at work.
        case invalidProducerEpoch
        case unknownProducer
        /// A batch outside a transaction while one of its producer is open.
        case invalidTxnState
        /// A marker of a transaction coordinator that another has replaced.
        case coordinatorFenced
        /// A batch that no client may write: empty, miscounted, a control batch, without key in a compacted topic.
        case invalidRecord
        /// Too far from the broker's clock for `message.timestamp.before.max.ms` or `…after.max.ms`.
        case invalidTimestamp
        /// The codec is unknown.
        case unsupportedCodec
        /// The disk is full.
        case noSpace
        /// The partition, or its log directory, is offline; the message says why.
        case offline
        /// A replica's batches do not continue its log.
        case offsetsOutOfOrder
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var isRetriable: Bool { code == .noSpace || code == .offline }
    public var description: String { "\(code): \(message)" }
}

/// Why a read gave nothing.
public struct ReadError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// Below the log's start or beyond its end.
        case offsetOutOfRange
        /// A batch on disk is damaged.
        case corrupt
        case offline
        case inputOutput
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: FileError) {
        self.init(error.code == .damaged ? .corrupt : .inputOutput, error.description)
    }

    public var description: String { "\(code): \(message)" }
}

/// Why a log could not be made, opened, changed or deleted.
public struct LogError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        case alreadyExists
        case unknownPartition
        case invalidConfig
        case invalidOffset
        /// Another process holds the log directory.
        case locked
        case offline
        case noSpace
        case corrupt
        case inputOutput
    }

    public var code: Code
    public var message: String
    public var cause: FileError?

    public init(_ code: Code, _ message: String, cause: FileError? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    init(_ error: FileError) {
        let code: Code =
            switch error.code {
            case .noSpace: .noSpace
            case .damaged: .corrupt
            case .locked: .locked
            default: .inputOutput
            }
        self.init(code, error.description, cause: error)
    }

    public var description: String { "\(code): \(message)" }
}
