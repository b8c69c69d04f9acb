import KafkaWire

/// What went wrong between this process and a cluster, and whether trying again can help.
public struct ClientError: Error, Sendable, CustomStringConvertible {
    /// The kinds can grow: compare, or switch with a default.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// No connection could be made.
        public static let connectFailed = Code(description: "connect failed")
        /// The connection ended before the answer came. Whether the broker did what was asked is unknown.
        public static let connectionClosed = Code(description: "connection closed")
        /// The broker did not believe who the client says it is, or the client did not believe the broker.
        public static let authenticationFailed = Code(description: "authentication failed")
        /// No answer in time; its connection was closed. Whether the broker did what was asked is unknown.
        public static let timedOut = Code(description: "timed out")
        /// The peer sent what is not the Kafka protocol.
        public static let protocolViolation = Code(description: "protocol violation")
        /// Broker and client have no version of the API in common, or the request can't be written in the version.
        public static let unsupportedVersion = Code(description: "unsupported version")
        /// The broker answered with an error: `kafkaError` says which.
        public static let brokerError = Code(description: "broker error")
        /// The task was cancelled.
        public static let cancelled = Code(description: "cancelled")
        /// No bootstrap address answered.
        public static let noBroker = Code(description: "no broker available")
        /// The partition has no leader now, or the topic does not exist (`kafkaError` tells).
        public static let noLeader = Code(description: "no leader")
        /// The consumer's membership ended: its partitions belong to others, nothing may be committed for them.
        public static let fenced = Code(description: "fenced")
        /// The group is rebalancing: the commit was not taken; commit from the `revoked` hook, or not at all.
        public static let rebalancing = Code(description: "rebalancing")
        /// A batch failed its CRC or can't be read.
        public static let corruptRecords = Code(description: "corrupt records")
        /// The consumer or cluster was closed by its owner.
        public static let closed = Code(description: "closed")
        /// A listener could not bind its address.
        public static let listenFailed = Code(description: "listen failed")
        /// The settings contradict each other.
        public static let invalidSettings = Code(description: "invalid settings")
    }

    public let code: Code
    public let message: String
    /// What the broker answered, where it did.
    public let kafkaError: ErrorCode?
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, kafkaError: ErrorCode? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.kafkaError = kafkaError
        self.cause = cause
    }

    /// The broker's error code in an answer, as an error; nil for `.none`.
    public init?(_ error: ErrorCode, _ what: @autoclosure () -> String, detail: String? = nil) {
        guard error != .none else { return nil }
        let text = detail.map { ": \($0)" } ?? ""
        self.init(.brokerError, "\(what()): the broker answered \(error)\(text)", kafkaError: error)
    }

    /// True where the same call may succeed later, after a refresh of the metadata.
    public var isRetriable: Bool {
        switch code {
        case .connectFailed, .connectionClosed, .timedOut, .noBroker, .noLeader: kafkaError?.isRetriable ?? true
        // Passwords are changed while clients run, at one side first.
        case .authenticationFailed: true
        case .brokerError: kafkaError?.isRetriable ?? false
        default: false
        }
    }

    public var description: String { "\(code): \(message)" }
}
