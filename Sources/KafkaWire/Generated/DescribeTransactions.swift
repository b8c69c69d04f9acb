// swift-format-ignore-file
// Generated from Schemas/apis/DescribeTransactions.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 65. Version 0, flexible.
public struct DescribeTransactionsRequest: WireRequest {
    public typealias Response = DescribeTransactionsResponse
    public static let messageName: StaticString = "DescribeTransactionsRequest"
    public static let apiKey: ApiKey = .describeTransactions
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var transactionalIds: [String] = []

    public init() {}

    public init(
        transactionalIds: [String] = []
    ) {
        self.transactionalIds = transactionalIds
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        transactionalIds = try reader.readArray(true)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(transactionalIds, true)
        writer.writeUnsignedVarint(0)
    }
}

/// Response 65. Version 0, flexible.
public struct DescribeTransactionsResponse: WireResponse {
    public static let messageName: StaticString = "DescribeTransactionsResponse"
    public static let apiKey: ApiKey = .describeTransactions
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var transactionStates: [TransactionState] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        transactionStates: [TransactionState] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.transactionStates = transactionStates
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        transactionStates = try reader.readArray(true, version, elementBytesMin: 28)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        try writer.write(transactionStates, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct TransactionState: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var transactionalId: String = ""
        public var transactionState: String = ""
        public var transactionTimeoutMs: Int32 = 0
        public var transactionStartTimeMs: Int64 = 0
        public var producerId: Int64 = 0
        public var producerEpoch: Int16 = 0
        public var topics: [TopicData] = []

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            transactionalId: String = "",
            transactionState: String = "",
            transactionTimeoutMs: Int32 = 0,
            transactionStartTimeMs: Int64 = 0,
            producerId: Int64 = 0,
            producerEpoch: Int16 = 0,
            topics: [TopicData] = []
        ) {
            self.errorCode = errorCode
            self.transactionalId = transactionalId
            self.transactionState = transactionState
            self.transactionTimeoutMs = transactionTimeoutMs
            self.transactionStartTimeMs = transactionStartTimeMs
            self.producerId = producerId
            self.producerEpoch = producerEpoch
            self.topics = topics
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            errorCode = try reader.readErrorCode()
            transactionalId = try reader.readString(true)
            transactionState = try reader.readString(true)
            transactionTimeoutMs = try reader.readInt32()
            transactionStartTimeMs = try reader.readInt64()
            producerId = try reader.readInt64()
            producerEpoch = try reader.readInt16()
            topics = try reader.readArray(true, version, elementBytesMin: 3)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(errorCode)
            try writer.write(transactionalId, true)
            try writer.write(transactionState, true)
            writer.write(transactionTimeoutMs)
            writer.write(transactionStartTimeMs)
            writer.write(producerId)
            writer.write(producerEpoch)
            try writer.write(topics, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct TopicData: WireStruct {
        public var topic: String = ""
        public var partitions: [Int32] = []

        public init() {}

        public init(
            topic: String = "",
            partitions: [Int32] = []
        ) {
            self.topic = topic
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            topic = try reader.readString(true)
            partitions = try reader.readArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(topic, true)
            try writer.write(partitions, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
