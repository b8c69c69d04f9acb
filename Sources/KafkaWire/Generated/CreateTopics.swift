// swift-format-ignore-file
// Generated from Schemas/apis/CreateTopics.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 19. Versions 2 to 7, flexible from 5.
public struct CreateTopicsRequest: WireRequest {
    public typealias Response = CreateTopicsResponse
    public static let messageName: StaticString = "CreateTopicsRequest"
    public static let apiKey: ApiKey = .createTopics
    public static let versions: ClosedRange<Int16> = 2...7
    public static func isFlexible(_ version: Int16) -> Bool { version >= 5 }

    public var topics: [CreatableTopic] = []
    public var timeoutMs: Int32 = 60000
    public var validateOnly: Bool = false

    public init() {}

    public init(
        topics: [CreatableTopic] = [],
        timeoutMs: Int32 = 60000,
        validateOnly: Bool = false
    ) {
        self.topics = topics
        self.timeoutMs = timeoutMs
        self.validateOnly = validateOnly
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 5
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 10 : 16)
        timeoutMs = try reader.readInt32()
        validateOnly = try reader.readBool()
        if version >= 5 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 5
        try writer.write(topics, flexible, version)
        writer.write(timeoutMs)
        writer.write(validateOnly)
        if version >= 5 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct CreatableTopic: WireStruct {
        public var name: String = ""
        public var numPartitions: Int32 = 0
        public var replicationFactor: Int16 = 0
        public var assignments: [CreatableReplicaAssignment] = []
        public var configs: [CreatableTopicConfig] = []

        public init() {}

        public init(
            name: String = "",
            numPartitions: Int32 = 0,
            replicationFactor: Int16 = 0,
            assignments: [CreatableReplicaAssignment] = [],
            configs: [CreatableTopicConfig] = []
        ) {
            self.name = name
            self.numPartitions = numPartitions
            self.replicationFactor = replicationFactor
            self.assignments = assignments
            self.configs = configs
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 5
            name = try reader.readString(flexible)
            numPartitions = try reader.readInt32()
            replicationFactor = try reader.readInt16()
            assignments = try reader.readArray(flexible, version, elementBytesMin: flexible ? 6 : 8)
            configs = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 4)
            if version >= 5 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 5
            try writer.write(name, flexible)
            writer.write(numPartitions)
            writer.write(replicationFactor)
            try writer.write(assignments, flexible, version)
            try writer.write(configs, flexible, version)
            if version >= 5 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct CreatableReplicaAssignment: WireStruct {
        public var partitionIndex: Int32 = 0
        public var brokerIds: [Int32] = []

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            brokerIds: [Int32] = []
        ) {
            self.partitionIndex = partitionIndex
            self.brokerIds = brokerIds
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 5
            partitionIndex = try reader.readInt32()
            brokerIds = try reader.readArray(flexible)
            if version >= 5 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 5
            writer.write(partitionIndex)
            try writer.write(brokerIds, flexible)
            if version >= 5 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct CreatableTopicConfig: WireStruct {
        public var name: String = ""
        public var value: String? = ""

        public init() {}

        public init(
            name: String = "",
            value: String? = ""
        ) {
            self.name = name
            self.value = value
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 5
            name = try reader.readString(flexible)
            self.value = try reader.readNullableString(flexible)
            if version >= 5 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 5
            try writer.write(name, flexible)
            try writer.writeNullable(self.value, flexible)
            if version >= 5 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 19. Versions 2 to 7, flexible from 5.
public struct CreateTopicsResponse: WireResponse {
    public static let messageName: StaticString = "CreateTopicsResponse"
    public static let apiKey: ApiKey = .createTopics
    public static let versions: ClosedRange<Int16> = 2...7
    public static func isFlexible(_ version: Int16) -> Bool { version >= 5 }

    public var throttleTimeMs: Int32 = 0
    public var topics: [CreatableTopicResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        topics: [CreatableTopicResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 5
        throttleTimeMs = try reader.readInt32()
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 12 : 6)
        if version >= 5 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 5
        writer.write(throttleTimeMs)
        try writer.write(topics, flexible, version)
        if version >= 5 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct CreatableTopicResult: WireStruct {
        public var name: String = ""
        /// Versions from 7, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""
        /// Versions from 5, dropped in others.
        public var topicConfigErrorCode: ErrorCode = ErrorCode.none
        /// Versions from 5, dropped in others.
        public var numPartitions: Int32 = -1
        /// Versions from 5, dropped in others.
        public var replicationFactor: Int16 = -1
        /// Versions from 5, dropped in others.
        public var configs: [CreatableTopicConfigs]? = []

        public init() {}

        public init(
            name: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = "",
            topicConfigErrorCode: ErrorCode = ErrorCode.none,
            numPartitions: Int32 = -1,
            replicationFactor: Int16 = -1,
            configs: [CreatableTopicConfigs]? = []
        ) {
            self.name = name
            self.topicId = topicId
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.topicConfigErrorCode = topicConfigErrorCode
            self.numPartitions = numPartitions
            self.replicationFactor = replicationFactor
            self.configs = configs
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 5
            name = try reader.readString(flexible)
            if version >= 7 {
                topicId = try reader.readUUID()
            }
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            if version >= 5 {
                numPartitions = try reader.readInt32()
            }
            if version >= 5 {
                replicationFactor = try reader.readInt16()
            }
            if version >= 5 {
                configs = try reader.readNullableArray(true, version, elementBytesMin: 6)
            }
            if version >= 5 {
                let taggedCount: Int = try reader.readTaggedFieldCount()
                for _ in 0..<taggedCount {
                    let tagged: WireReader.TaggedField = try reader.readTaggedField()
                    switch tagged.tag {
                    case 0:
                        topicConfigErrorCode = try reader.readErrorCode()
                    default:
                        try reader.skip(tagged)
                    }
                    try reader.checkEnd(of: tagged)
                }
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 5
            try writer.write(name, flexible)
            if version >= 7 {
                writer.write(topicId)
            }
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            if version >= 5 {
                writer.write(numPartitions)
            }
            if version >= 5 {
                writer.write(replicationFactor)
            }
            if version >= 5 {
                try writer.writeNullable(configs, true, version)
            }
            if version >= 5 {
                let hasTopicConfigErrorCode: Bool = topicConfigErrorCode != ErrorCode.none
                var taggedCount: UInt32 = 0
                if hasTopicConfigErrorCode { taggedCount += 1 }
                writer.writeUnsignedVarint(taggedCount)
                if hasTopicConfigErrorCode {
                    let start: Int = writer.beginTaggedField(0)
                    writer.write(topicConfigErrorCode)
                    try writer.endTaggedField(start)
                }
            }
        }
    }

    public struct CreatableTopicConfigs: WireStruct {
        public var name: String = ""
        public var value: String? = ""
        public var readOnly: Bool = false
        public var configSource: Int8 = -1
        public var isSensitive: Bool = false

        public init() {}

        public init(
            name: String = "",
            value: String? = "",
            readOnly: Bool = false,
            configSource: Int8 = -1,
            isSensitive: Bool = false
        ) {
            self.name = name
            self.value = value
            self.readOnly = readOnly
            self.configSource = configSource
            self.isSensitive = isSensitive
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            self.value = try reader.readNullableString(true)
            readOnly = try reader.readBool()
            configSource = try reader.readInt8()
            isSensitive = try reader.readBool()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            try writer.writeNullable(self.value, true)
            writer.write(readOnly)
            writer.write(configSource)
            writer.write(isSensitive)
            writer.writeUnsignedVarint(0)
        }
    }
}
