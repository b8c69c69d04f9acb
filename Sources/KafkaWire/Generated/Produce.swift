// swift-format-ignore-file
// Generated from Schemas/apis/Produce.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 0. Versions 3 to 13, flexible from 9.
public struct ProduceRequest: WireRequest {
    public typealias Response = ProduceResponse
    public static let messageName: StaticString = "ProduceRequest"
    public static let apiKey: ApiKey = .produce
    public static let versions: ClosedRange<Int16> = 3...13
    public static func isFlexible(_ version: Int16) -> Bool { version >= 9 }

    public var transactionalId: String? = nil
    public var acks: Int16 = 0
    public var timeoutMs: Int32 = 0
    public var topicData: [TopicProduceData] = []

    public init() {}

    public init(
        transactionalId: String? = nil,
        acks: Int16 = 0,
        timeoutMs: Int32 = 0,
        topicData: [TopicProduceData] = []
    ) {
        self.transactionalId = transactionalId
        self.acks = acks
        self.timeoutMs = timeoutMs
        self.topicData = topicData
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 9
        transactionalId = try reader.readNullableString(flexible)
        acks = try reader.readInt16()
        timeoutMs = try reader.readInt32()
        topicData = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 9 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 9
        try writer.writeNullable(transactionalId, flexible)
        writer.write(acks)
        writer.write(timeoutMs)
        try writer.write(topicData, flexible, version)
        if version >= 9 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct TopicProduceData: WireStruct {
        /// Versions 3 to 12, dropped in others.
        public var name: String = ""
        /// Versions from 13, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitionData: [PartitionProduceData] = []

        public init() {}

        public init(
            name: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            partitionData: [PartitionProduceData] = []
        ) {
            self.name = name
            self.topicId = topicId
            self.partitionData = partitionData
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 9
            if version <= 12 {
                name = try reader.readString(flexible)
            }
            if version >= 13 {
                topicId = try reader.readUUID()
            }
            partitionData = try reader.readArray(flexible, version, elementBytesMin: flexible ? 6 : 8)
            if version >= 9 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 9
            if version <= 12 {
                try writer.write(name, flexible)
            }
            if version >= 13 {
                writer.write(topicId)
            }
            try writer.write(partitionData, flexible, version)
            if version >= 9 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct PartitionProduceData: WireStruct {
        public var index: Int32 = 0
        public var records: ByteBuffer? = nil

        public init() {}

        public init(
            index: Int32 = 0,
            records: ByteBuffer? = nil
        ) {
            self.index = index
            self.records = records
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 9
            index = try reader.readInt32()
            records = try reader.readNullableBytes(flexible)
            if version >= 9 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 9
            writer.write(index)
            try writer.writeNullable(records, flexible)
            if version >= 9 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 0. Versions 3 to 13, flexible from 9.
public struct ProduceResponse: WireResponse {
    public static let messageName: StaticString = "ProduceResponse"
    public static let apiKey: ApiKey = .produce
    public static let versions: ClosedRange<Int16> = 3...13
    public static func isFlexible(_ version: Int16) -> Bool { version >= 9 }

    public var responses: [TopicProduceResponse] = []
    public var throttleTimeMs: Int32 = 0
    /// Versions from 10.
    public var nodeEndpoints: [NodeEndpoint] = []

    public init() {}

    public init(
        responses: [TopicProduceResponse] = [],
        throttleTimeMs: Int32 = 0,
        nodeEndpoints: [NodeEndpoint] = []
    ) {
        self.responses = responses
        self.throttleTimeMs = throttleTimeMs
        self.nodeEndpoints = nodeEndpoints
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 9
        responses = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        throttleTimeMs = try reader.readInt32()
        if version >= 9 {
            let taggedCount: Int = try reader.readTaggedFieldCount()
            for _ in 0..<taggedCount {
                let tagged: WireReader.TaggedField = try reader.readTaggedField()
                switch tagged.tag {
                case 0 where version >= 10:
                    nodeEndpoints = try reader.readArray(true, version, elementBytesMin: 11)
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
        let flexible: Bool = version >= 9
        try writer.write(responses, flexible, version)
        writer.write(throttleTimeMs)
        if !(version >= 10) && !nodeEndpoints.isEmpty { throw WireError.unsupportedField("ProduceResponse.nodeEndpoints", version) }
        if version >= 9 {
            let hasNodeEndpoints: Bool = version >= 10 && !nodeEndpoints.isEmpty
            var taggedCount: UInt32 = 0
            if hasNodeEndpoints { taggedCount += 1 }
            writer.writeUnsignedVarint(taggedCount)
            if hasNodeEndpoints {
                let start: Int = writer.beginTaggedField(0)
                try writer.write(nodeEndpoints, true, version)
                try writer.endTaggedField(start)
            }
        }
    }

    public struct TopicProduceResponse: WireStruct {
        /// Versions 3 to 12, dropped in others.
        public var name: String = ""
        /// Versions from 13, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitionResponses: [PartitionProduceResponse] = []

        public init() {}

        public init(
            name: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            partitionResponses: [PartitionProduceResponse] = []
        ) {
            self.name = name
            self.topicId = topicId
            self.partitionResponses = partitionResponses
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 9
            if version <= 12 {
                name = try reader.readString(flexible)
            }
            if version >= 13 {
                topicId = try reader.readUUID()
            }
            partitionResponses = try reader.readArray(flexible, version, elementBytesMin: flexible ? 33 : 22)
            if version >= 9 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 9
            if version <= 12 {
                try writer.write(name, flexible)
            }
            if version >= 13 {
                writer.write(topicId)
            }
            try writer.write(partitionResponses, flexible, version)
            if version >= 9 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct PartitionProduceResponse: WireStruct {
        public var index: Int32 = 0
        public var errorCode: ErrorCode = ErrorCode.none
        public var baseOffset: Int64 = 0
        public var logAppendTimeMs: Int64 = -1
        /// Versions from 5, dropped in others.
        public var logStartOffset: Int64 = -1
        /// Versions from 8, dropped in others.
        public var recordErrors: [BatchIndexAndErrorMessage] = []
        /// Versions from 8, dropped in others.
        public var errorMessage: String? = nil
        /// Versions from 10.
        public var currentLeader: LeaderIdAndEpoch = LeaderIdAndEpoch()

        public init() {}

        public init(
            index: Int32 = 0,
            errorCode: ErrorCode = ErrorCode.none,
            baseOffset: Int64 = 0,
            logAppendTimeMs: Int64 = -1,
            logStartOffset: Int64 = -1,
            recordErrors: [BatchIndexAndErrorMessage] = [],
            errorMessage: String? = nil,
            currentLeader: LeaderIdAndEpoch = LeaderIdAndEpoch()
        ) {
            self.index = index
            self.errorCode = errorCode
            self.baseOffset = baseOffset
            self.logAppendTimeMs = logAppendTimeMs
            self.logStartOffset = logStartOffset
            self.recordErrors = recordErrors
            self.errorMessage = errorMessage
            self.currentLeader = currentLeader
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 9
            index = try reader.readInt32()
            errorCode = try reader.readErrorCode()
            baseOffset = try reader.readInt64()
            logAppendTimeMs = try reader.readInt64()
            if version >= 5 {
                logStartOffset = try reader.readInt64()
            }
            if version >= 8 {
                recordErrors = try reader.readArray(flexible, version, elementBytesMin: 6)
            }
            if version >= 8 {
                errorMessage = try reader.readNullableString(flexible)
            }
            if version >= 9 {
                let taggedCount: Int = try reader.readTaggedFieldCount()
                for _ in 0..<taggedCount {
                    let tagged: WireReader.TaggedField = try reader.readTaggedField()
                    switch tagged.tag {
                    case 0 where version >= 10:
                        currentLeader = try LeaderIdAndEpoch(from: &reader, version: version)
                    default:
                        try reader.skip(tagged)
                    }
                    try reader.checkEnd(of: tagged)
                }
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 9
            writer.write(index)
            writer.write(errorCode)
            writer.write(baseOffset)
            writer.write(logAppendTimeMs)
            if version >= 5 {
                writer.write(logStartOffset)
            }
            if version >= 8 {
                try writer.write(recordErrors, flexible, version)
            }
            if version >= 8 {
                try writer.writeNullable(errorMessage, flexible)
            }
            if !(version >= 10) && currentLeader != LeaderIdAndEpoch() { throw WireError.unsupportedField("ProduceResponse.PartitionProduceResponse.currentLeader", version) }
            if version >= 9 {
                let hasCurrentLeader: Bool = version >= 10 && currentLeader != LeaderIdAndEpoch()
                var taggedCount: UInt32 = 0
                if hasCurrentLeader { taggedCount += 1 }
                writer.writeUnsignedVarint(taggedCount)
                if hasCurrentLeader {
                    let start: Int = writer.beginTaggedField(0)
                    try currentLeader.encode(into: &writer, version: version)
                    try writer.endTaggedField(start)
                }
            }
        }
    }

    public struct BatchIndexAndErrorMessage: WireStruct {
        public var batchIndex: Int32 = 0
        public var batchIndexErrorMessage: String? = nil

        public init() {}

        public init(
            batchIndex: Int32 = 0,
            batchIndexErrorMessage: String? = nil
        ) {
            self.batchIndex = batchIndex
            self.batchIndexErrorMessage = batchIndexErrorMessage
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 9
            batchIndex = try reader.readInt32()
            batchIndexErrorMessage = try reader.readNullableString(flexible)
            if version >= 9 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 9
            writer.write(batchIndex)
            try writer.writeNullable(batchIndexErrorMessage, flexible)
            if version >= 9 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct LeaderIdAndEpoch: WireStruct {
        public var leaderId: Int32 = -1
        public var leaderEpoch: Int32 = -1

        public init() {}

        public init(
            leaderId: Int32 = -1,
            leaderEpoch: Int32 = -1
        ) {
            self.leaderId = leaderId
            self.leaderEpoch = leaderEpoch
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            leaderId = try reader.readInt32()
            leaderEpoch = try reader.readInt32()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(leaderId)
            writer.write(leaderEpoch)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct NodeEndpoint: WireStruct {
        public var nodeId: Int32 = 0
        public var host: String = ""
        public var port: Int32 = 0
        public var rack: String? = nil

        public init() {}

        public init(
            nodeId: Int32 = 0,
            host: String = "",
            port: Int32 = 0,
            rack: String? = nil
        ) {
            self.nodeId = nodeId
            self.host = host
            self.port = port
            self.rack = rack
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            nodeId = try reader.readInt32()
            host = try reader.readString(true)
            port = try reader.readInt32()
            rack = try reader.readNullableString(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(nodeId)
            try writer.write(host, true)
            writer.write(port)
            try writer.writeNullable(rack, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
