// swift-format-ignore-file
// Generated from Schemas/apis/AddPartitionsToTxn.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 24. Versions 0 to 5, flexible from 3.
public struct AddPartitionsToTxnRequest: WireRequest {
    public typealias Response = AddPartitionsToTxnResponse
    public static let messageName: StaticString = "AddPartitionsToTxnRequest"
    public static let apiKey: ApiKey = .addPartitionsToTxn
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    /// Versions from 4.
    public var transactions: [AddPartitionsToTxnTransaction] = []
    /// Versions 0 to 3.
    public var v3AndBelowTransactionalId: String = ""
    /// Versions 0 to 3.
    public var v3AndBelowProducerId: Int64 = 0
    /// Versions 0 to 3.
    public var v3AndBelowProducerEpoch: Int16 = 0
    /// Versions 0 to 3.
    public var v3AndBelowTopics: [AddPartitionsToTxnTopic] = []

    public init() {}

    public init(
        transactions: [AddPartitionsToTxnTransaction] = [],
        v3AndBelowTransactionalId: String = "",
        v3AndBelowProducerId: Int64 = 0,
        v3AndBelowProducerEpoch: Int16 = 0,
        v3AndBelowTopics: [AddPartitionsToTxnTopic] = []
    ) {
        self.transactions = transactions
        self.v3AndBelowTransactionalId = v3AndBelowTransactionalId
        self.v3AndBelowProducerId = v3AndBelowProducerId
        self.v3AndBelowProducerEpoch = v3AndBelowProducerEpoch
        self.v3AndBelowTopics = v3AndBelowTopics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 3
        if version >= 4 {
            transactions = try reader.readArray(true, version, elementBytesMin: 14)
        }
        if version <= 3 {
            v3AndBelowTransactionalId = try reader.readString(flexible)
        }
        if version <= 3 {
            v3AndBelowProducerId = try reader.readInt64()
        }
        if version <= 3 {
            v3AndBelowProducerEpoch = try reader.readInt16()
        }
        if version <= 3 {
            v3AndBelowTopics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        }
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 3
        if version >= 4 {
            try writer.write(transactions, true, version)
        } else if !transactions.isEmpty { throw WireError.unsupportedField("AddPartitionsToTxnRequest.transactions", version) }
        if version <= 3 {
            try writer.write(v3AndBelowTransactionalId, flexible)
        } else if !v3AndBelowTransactionalId.isEmpty { throw WireError.unsupportedField("AddPartitionsToTxnRequest.v3AndBelowTransactionalId", version) }
        if version <= 3 {
            writer.write(v3AndBelowProducerId)
        } else if v3AndBelowProducerId != 0 { throw WireError.unsupportedField("AddPartitionsToTxnRequest.v3AndBelowProducerId", version) }
        if version <= 3 {
            writer.write(v3AndBelowProducerEpoch)
        } else if v3AndBelowProducerEpoch != 0 { throw WireError.unsupportedField("AddPartitionsToTxnRequest.v3AndBelowProducerEpoch", version) }
        if version <= 3 {
            try writer.write(v3AndBelowTopics, flexible, version)
        } else if !v3AndBelowTopics.isEmpty { throw WireError.unsupportedField("AddPartitionsToTxnRequest.v3AndBelowTopics", version) }
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AddPartitionsToTxnTransaction: WireStruct {
        public var transactionalId: String = ""
        public var producerId: Int64 = 0
        public var producerEpoch: Int16 = 0
        public var verifyOnly: Bool = false
        public var topics: [AddPartitionsToTxnTopic] = []

        public init() {}

        public init(
            transactionalId: String = "",
            producerId: Int64 = 0,
            producerEpoch: Int16 = 0,
            verifyOnly: Bool = false,
            topics: [AddPartitionsToTxnTopic] = []
        ) {
            self.transactionalId = transactionalId
            self.producerId = producerId
            self.producerEpoch = producerEpoch
            self.verifyOnly = verifyOnly
            self.topics = topics
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            transactionalId = try reader.readString(true)
            producerId = try reader.readInt64()
            producerEpoch = try reader.readInt16()
            verifyOnly = try reader.readBool()
            topics = try reader.readArray(true, version, elementBytesMin: 3)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(transactionalId, true)
            writer.write(producerId)
            writer.write(producerEpoch)
            writer.write(verifyOnly)
            try writer.write(topics, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AddPartitionsToTxnTopic: WireStruct {
        public var name: String = ""
        public var partitions: [Int32] = []

        public init() {}

        public init(
            name: String = "",
            partitions: [Int32] = []
        ) {
            self.name = name
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 3
            name = try reader.readString(flexible)
            partitions = try reader.readArray(flexible)
            if version >= 3 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 3
            try writer.write(name, flexible)
            try writer.write(partitions, flexible)
            if version >= 3 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 24. Versions 0 to 5, flexible from 3.
public struct AddPartitionsToTxnResponse: WireResponse {
    public static let messageName: StaticString = "AddPartitionsToTxnResponse"
    public static let apiKey: ApiKey = .addPartitionsToTxn
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    public var throttleTimeMs: Int32 = 0
    /// Versions from 4, dropped in others.
    public var errorCode: ErrorCode = ErrorCode.none
    /// Versions from 4.
    public var resultsByTransaction: [AddPartitionsToTxnResult] = []
    /// Versions 0 to 3.
    public var resultsByTopicV3AndBelow: [AddPartitionsToTxnTopicResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        resultsByTransaction: [AddPartitionsToTxnResult] = [],
        resultsByTopicV3AndBelow: [AddPartitionsToTxnTopicResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.resultsByTransaction = resultsByTransaction
        self.resultsByTopicV3AndBelow = resultsByTopicV3AndBelow
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 3
        throttleTimeMs = try reader.readInt32()
        if version >= 4 {
            errorCode = try reader.readErrorCode()
        }
        if version >= 4 {
            resultsByTransaction = try reader.readArray(true, version, elementBytesMin: 3)
        }
        if version <= 3 {
            resultsByTopicV3AndBelow = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        }
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 3
        writer.write(throttleTimeMs)
        if version >= 4 {
            writer.write(errorCode)
        }
        if version >= 4 {
            try writer.write(resultsByTransaction, true, version)
        } else if !resultsByTransaction.isEmpty { throw WireError.unsupportedField("AddPartitionsToTxnResponse.resultsByTransaction", version) }
        if version <= 3 {
            try writer.write(resultsByTopicV3AndBelow, flexible, version)
        } else if !resultsByTopicV3AndBelow.isEmpty { throw WireError.unsupportedField("AddPartitionsToTxnResponse.resultsByTopicV3AndBelow", version) }
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AddPartitionsToTxnResult: WireStruct {
        public var transactionalId: String = ""
        public var topicResults: [AddPartitionsToTxnTopicResult] = []

        public init() {}

        public init(
            transactionalId: String = "",
            topicResults: [AddPartitionsToTxnTopicResult] = []
        ) {
            self.transactionalId = transactionalId
            self.topicResults = topicResults
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            transactionalId = try reader.readString(true)
            topicResults = try reader.readArray(true, version, elementBytesMin: 3)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(transactionalId, true)
            try writer.write(topicResults, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AddPartitionsToTxnTopicResult: WireStruct {
        public var name: String = ""
        public var resultsByPartition: [AddPartitionsToTxnPartitionResult] = []

        public init() {}

        public init(
            name: String = "",
            resultsByPartition: [AddPartitionsToTxnPartitionResult] = []
        ) {
            self.name = name
            self.resultsByPartition = resultsByPartition
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 3
            name = try reader.readString(flexible)
            resultsByPartition = try reader.readArray(flexible, version, elementBytesMin: flexible ? 7 : 6)
            if version >= 3 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 3
            try writer.write(name, flexible)
            try writer.write(resultsByPartition, flexible, version)
            if version >= 3 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct AddPartitionsToTxnPartitionResult: WireStruct {
        public var partitionIndex: Int32 = 0
        public var partitionErrorCode: ErrorCode = ErrorCode.none

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            partitionErrorCode: ErrorCode = ErrorCode.none
        ) {
            self.partitionIndex = partitionIndex
            self.partitionErrorCode = partitionErrorCode
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partitionIndex = try reader.readInt32()
            partitionErrorCode = try reader.readErrorCode()
            if version >= 3 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partitionIndex)
            writer.write(partitionErrorCode)
            if version >= 3 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
