// swift-format-ignore-file
// Generated from Schemas/apis/WriteTxnMarkers.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 27. Version 1, flexible.
public struct WriteTxnMarkersRequest: WireRequest {
    public typealias Response = WriteTxnMarkersResponse
    public static let messageName: StaticString = "WriteTxnMarkersRequest"
    public static let apiKey: ApiKey = .writeTxnMarkers
    public static let versions: ClosedRange<Int16> = 1...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var markers: [WritableTxnMarker] = []

    public init() {}

    public init(
        markers: [WritableTxnMarker] = []
    ) {
        self.markers = markers
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        markers = try reader.readArray(true, version, elementBytesMin: 17)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(markers, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct WritableTxnMarker: WireStruct {
        public var producerId: Int64 = 0
        public var producerEpoch: Int16 = 0
        public var transactionResult: Bool = false
        public var topics: [WritableTxnMarkerTopic] = []
        public var coordinatorEpoch: Int32 = 0

        public init() {}

        public init(
            producerId: Int64 = 0,
            producerEpoch: Int16 = 0,
            transactionResult: Bool = false,
            topics: [WritableTxnMarkerTopic] = [],
            coordinatorEpoch: Int32 = 0
        ) {
            self.producerId = producerId
            self.producerEpoch = producerEpoch
            self.transactionResult = transactionResult
            self.topics = topics
            self.coordinatorEpoch = coordinatorEpoch
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            producerId = try reader.readInt64()
            producerEpoch = try reader.readInt16()
            transactionResult = try reader.readBool()
            topics = try reader.readArray(true, version, elementBytesMin: 3)
            coordinatorEpoch = try reader.readInt32()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(producerId)
            writer.write(producerEpoch)
            writer.write(transactionResult)
            try writer.write(topics, true, version)
            writer.write(coordinatorEpoch)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct WritableTxnMarkerTopic: WireStruct {
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

/// Response 27. Version 1, flexible.
public struct WriteTxnMarkersResponse: WireResponse {
    public static let messageName: StaticString = "WriteTxnMarkersResponse"
    public static let apiKey: ApiKey = .writeTxnMarkers
    public static let versions: ClosedRange<Int16> = 1...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var markers: [WritableTxnMarkerResult] = []

    public init() {}

    public init(
        markers: [WritableTxnMarkerResult] = []
    ) {
        self.markers = markers
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        markers = try reader.readArray(true, version, elementBytesMin: 10)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(markers, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct WritableTxnMarkerResult: WireStruct {
        public var producerId: Int64 = 0
        public var topics: [WritableTxnMarkerTopicResult] = []

        public init() {}

        public init(
            producerId: Int64 = 0,
            topics: [WritableTxnMarkerTopicResult] = []
        ) {
            self.producerId = producerId
            self.topics = topics
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            producerId = try reader.readInt64()
            topics = try reader.readArray(true, version, elementBytesMin: 3)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(producerId)
            try writer.write(topics, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct WritableTxnMarkerTopicResult: WireStruct {
        public var name: String = ""
        public var partitions: [WritableTxnMarkerPartitionResult] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [WritableTxnMarkerPartitionResult] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            partitions = try reader.readArray(true, version, elementBytesMin: 7)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            try writer.write(partitions, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct WritableTxnMarkerPartitionResult: WireStruct {
        public var partitionIndex: Int32 = 0
        public var errorCode: ErrorCode = ErrorCode.none

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            errorCode: ErrorCode = ErrorCode.none
        ) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            errorCode = try reader.readErrorCode()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(errorCode)
            writer.writeUnsignedVarint(0)
        }
    }
}
