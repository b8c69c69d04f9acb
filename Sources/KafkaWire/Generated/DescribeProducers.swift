// swift-format-ignore-file
// Generated from Schemas/apis/DescribeProducers.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 61. Version 0, flexible.
public struct DescribeProducersRequest: WireRequest {
    public typealias Response = DescribeProducersResponse
    public static let messageName: StaticString = "DescribeProducersRequest"
    public static let apiKey: ApiKey = .describeProducers
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var topics: [TopicRequest] = []

    public init() {}

    public init(
        topics: [TopicRequest] = []
    ) {
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        topics = try reader.readArray(true, version, elementBytesMin: 3)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(topics, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct TopicRequest: WireStruct {
        public var name: String = ""
        public var partitionIndexes: [Int32] = []

        public init() {}

        public init(
            name: String = "",
            partitionIndexes: [Int32] = []
        ) {
            self.name = name
            self.partitionIndexes = partitionIndexes
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            partitionIndexes = try reader.readArray(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            try writer.write(partitionIndexes, true)
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 61. Version 0, flexible.
public struct DescribeProducersResponse: WireResponse {
    public static let messageName: StaticString = "DescribeProducersResponse"
    public static let apiKey: ApiKey = .describeProducers
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var topics: [TopicResponse] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        topics: [TopicResponse] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        topics = try reader.readArray(true, version, elementBytesMin: 3)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        try writer.write(topics, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct TopicResponse: WireStruct {
        public var name: String = ""
        public var partitions: [PartitionResponse] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [PartitionResponse] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            partitions = try reader.readArray(true, version, elementBytesMin: 9)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            try writer.write(partitions, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct PartitionResponse: WireStruct {
        public var partitionIndex: Int32 = 0
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = nil
        public var activeProducers: [ProducerState] = []

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = nil,
            activeProducers: [ProducerState] = []
        ) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.activeProducers = activeProducers
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(true)
            activeProducers = try reader.readArray(true, version, elementBytesMin: 37)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, true)
            try writer.write(activeProducers, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct ProducerState: WireStruct {
        public var producerId: Int64 = 0
        public var producerEpoch: Int32 = 0
        public var lastSequence: Int32 = -1
        public var lastTimestamp: Int64 = -1
        public var coordinatorEpoch: Int32 = 0
        public var currentTxnStartOffset: Int64 = -1

        public init() {}

        public init(
            producerId: Int64 = 0,
            producerEpoch: Int32 = 0,
            lastSequence: Int32 = -1,
            lastTimestamp: Int64 = -1,
            coordinatorEpoch: Int32 = 0,
            currentTxnStartOffset: Int64 = -1
        ) {
            self.producerId = producerId
            self.producerEpoch = producerEpoch
            self.lastSequence = lastSequence
            self.lastTimestamp = lastTimestamp
            self.coordinatorEpoch = coordinatorEpoch
            self.currentTxnStartOffset = currentTxnStartOffset
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            producerId = try reader.readInt64()
            producerEpoch = try reader.readInt32()
            lastSequence = try reader.readInt32()
            lastTimestamp = try reader.readInt64()
            coordinatorEpoch = try reader.readInt32()
            currentTxnStartOffset = try reader.readInt64()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(producerId)
            writer.write(producerEpoch)
            writer.write(lastSequence)
            writer.write(lastTimestamp)
            writer.write(coordinatorEpoch)
            writer.write(currentTxnStartOffset)
            writer.writeUnsignedVarint(0)
        }
    }
}
