// swift-format-ignore-file
// Generated from Schemas/records/TransactionLogRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 0 of an internal topic. Version 0, none flexible.
public struct TransactionLogKey: CoordinatorKey {
    public static let messageName: StaticString = "TransactionLogKey"
    public static let recordType: Int16 = 0
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var transactionalId: String = ""

    public init() {}

    public init(
        transactionalId: String = ""
    ) {
        self.transactionalId = transactionalId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        transactionalId = try reader.readString(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(transactionalId, false)
        if false {
        }
    }
}

/// Record type 0 of an internal topic. Versions 0 to 1, flexible from 1.
public struct TransactionLogValue: CoordinatorValue {
    public static let messageName: StaticString = "TransactionLogValue"
    public static let recordType: Int16 = 0
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { version >= 1 }

    public var producerId: Int64 = 0
    /// Versions from 1.
    public var previousProducerId: Int64 = -1
    /// Versions from 1.
    public var nextProducerId: Int64 = -1
    public var producerEpoch: Int16 = 0
    /// Versions from 1.
    public var nextProducerEpoch: Int16 = -1
    public var transactionTimeoutMs: Int32 = 0
    public var transactionStatus: Int8 = 0
    public var transactionPartitions: [PartitionsSchema]? = []
    public var transactionLastUpdateTimestampMs: Int64 = 0
    public var transactionStartTimestampMs: Int64 = 0
    /// Versions from 1.
    public var clientTransactionVersion: Int16 = 0

    public init() {}

    public init(
        producerId: Int64 = 0,
        previousProducerId: Int64 = -1,
        nextProducerId: Int64 = -1,
        producerEpoch: Int16 = 0,
        nextProducerEpoch: Int16 = -1,
        transactionTimeoutMs: Int32 = 0,
        transactionStatus: Int8 = 0,
        transactionPartitions: [PartitionsSchema]? = [],
        transactionLastUpdateTimestampMs: Int64 = 0,
        transactionStartTimestampMs: Int64 = 0,
        clientTransactionVersion: Int16 = 0
    ) {
        self.producerId = producerId
        self.previousProducerId = previousProducerId
        self.nextProducerId = nextProducerId
        self.producerEpoch = producerEpoch
        self.nextProducerEpoch = nextProducerEpoch
        self.transactionTimeoutMs = transactionTimeoutMs
        self.transactionStatus = transactionStatus
        self.transactionPartitions = transactionPartitions
        self.transactionLastUpdateTimestampMs = transactionLastUpdateTimestampMs
        self.transactionStartTimestampMs = transactionStartTimestampMs
        self.clientTransactionVersion = clientTransactionVersion
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 1
        producerId = try reader.readInt64()
        producerEpoch = try reader.readInt16()
        transactionTimeoutMs = try reader.readInt32()
        transactionStatus = try reader.readInt8()
        transactionPartitions = try reader.readNullableArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        transactionLastUpdateTimestampMs = try reader.readInt64()
        transactionStartTimestampMs = try reader.readInt64()
        if version >= 1 {
            let taggedCount: Int = try reader.readTaggedFieldCount()
            for _ in 0..<taggedCount {
                let tagged: WireReader.TaggedField = try reader.readTaggedField()
                switch tagged.tag {
                case 0:
                    previousProducerId = try reader.readInt64()
                case 1:
                    nextProducerId = try reader.readInt64()
                case 3:
                    nextProducerEpoch = try reader.readInt16()
                case 2:
                    clientTransactionVersion = try reader.readInt16()
                default:
                    try reader.skip(tagged)
                }
                try reader.checkEnd(of: tagged)
            }
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 1
        writer.write(producerId)
        writer.write(producerEpoch)
        writer.write(transactionTimeoutMs)
        writer.write(transactionStatus)
        try writer.writeNullable(transactionPartitions, flexible, version)
        writer.write(transactionLastUpdateTimestampMs)
        writer.write(transactionStartTimestampMs)
        if !(version >= 1) && previousProducerId != -1 { throw WireError.unsupportedField("TransactionLogValue.previousProducerId", version) }
        if !(version >= 1) && nextProducerId != -1 { throw WireError.unsupportedField("TransactionLogValue.nextProducerId", version) }
        if !(version >= 1) && nextProducerEpoch != -1 { throw WireError.unsupportedField("TransactionLogValue.nextProducerEpoch", version) }
        if !(version >= 1) && clientTransactionVersion != 0 { throw WireError.unsupportedField("TransactionLogValue.clientTransactionVersion", version) }
        if version >= 1 {
            let hasPreviousProducerId: Bool = previousProducerId != -1
            let hasNextProducerId: Bool = nextProducerId != -1
            let hasClientTransactionVersion: Bool = clientTransactionVersion != 0
            let hasNextProducerEpoch: Bool = nextProducerEpoch != -1
            var taggedCount: UInt32 = 0
            if hasPreviousProducerId { taggedCount += 1 }
            if hasNextProducerId { taggedCount += 1 }
            if hasClientTransactionVersion { taggedCount += 1 }
            if hasNextProducerEpoch { taggedCount += 1 }
            writer.writeUnsignedVarint(taggedCount)
            if hasPreviousProducerId {
                let start: Int = writer.beginTaggedField(0)
                writer.write(previousProducerId)
                try writer.endTaggedField(start)
            }
            if hasNextProducerId {
                let start: Int = writer.beginTaggedField(1)
                writer.write(nextProducerId)
                try writer.endTaggedField(start)
            }
            if hasClientTransactionVersion {
                let start: Int = writer.beginTaggedField(2)
                writer.write(clientTransactionVersion)
                try writer.endTaggedField(start)
            }
            if hasNextProducerEpoch {
                let start: Int = writer.beginTaggedField(3)
                writer.write(nextProducerEpoch)
                try writer.endTaggedField(start)
            }
        }
    }

    public struct PartitionsSchema: WireStruct {
        public var topic: String = ""
        public var partitionIds: [Int32] = []

        public init() {}

        public init(
            topic: String = "",
            partitionIds: [Int32] = []
        ) {
            self.topic = topic
            self.partitionIds = partitionIds
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            topic = try reader.readString(flexible)
            partitionIds = try reader.readArray(flexible)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            try writer.write(topic, flexible)
            try writer.write(partitionIds, flexible)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
