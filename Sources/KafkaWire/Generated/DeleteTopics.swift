// swift-format-ignore-file
// Generated from Schemas/apis/DeleteTopics.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 20. Versions 1 to 6, flexible from 4.
public struct DeleteTopicsRequest: WireRequest {
    public typealias Response = DeleteTopicsResponse
    public static let messageName: StaticString = "DeleteTopicsRequest"
    public static let apiKey: ApiKey = .deleteTopics
    public static let versions: ClosedRange<Int16> = 1...6
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    /// Versions from 6.
    public var topics: [DeleteTopicState] = []
    /// Versions 1 to 5, dropped in others.
    public var topicNames: [String] = []
    public var timeoutMs: Int32 = 0

    public init() {}

    public init(
        topics: [DeleteTopicState] = [],
        topicNames: [String] = [],
        timeoutMs: Int32 = 0
    ) {
        self.topics = topics
        self.topicNames = topicNames
        self.timeoutMs = timeoutMs
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        if version >= 6 {
            topics = try reader.readArray(true, version, elementBytesMin: 18)
        }
        if version <= 5 {
            topicNames = try reader.readArray(flexible)
        }
        timeoutMs = try reader.readInt32()
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        if version >= 6 {
            try writer.write(topics, true, version)
        } else if !topics.isEmpty { throw WireError.unsupportedField("DeleteTopicsRequest.topics", version) }
        if version <= 5 {
            try writer.write(topicNames, flexible)
        }
        writer.write(timeoutMs)
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DeleteTopicState: WireStruct {
        public var name: String? = nil
        public var topicId: KafkaUUID = KafkaUUID.zero

        public init() {}

        public init(
            name: String? = nil,
            topicId: KafkaUUID = KafkaUUID.zero
        ) {
            self.name = name
            self.topicId = topicId
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readNullableString(true)
            topicId = try reader.readUUID()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.writeNullable(name, true)
            writer.write(topicId)
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 20. Versions 1 to 6, flexible from 4.
public struct DeleteTopicsResponse: WireResponse {
    public static let messageName: StaticString = "DeleteTopicsResponse"
    public static let apiKey: ApiKey = .deleteTopics
    public static let versions: ClosedRange<Int16> = 1...6
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    public var throttleTimeMs: Int32 = 0
    public var responses: [DeletableTopicResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        responses: [DeletableTopicResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.responses = responses
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        throttleTimeMs = try reader.readInt32()
        responses = try reader.readArray(flexible, version, elementBytesMin: 4)
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        writer.write(throttleTimeMs)
        try writer.write(responses, flexible, version)
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DeletableTopicResult: WireStruct {
        /// May be null from 6.
        public var name: String? = ""
        /// Versions from 6, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var errorCode: ErrorCode = ErrorCode.none
        /// Versions from 5, dropped in others.
        public var errorMessage: String? = nil

        public init() {}

        public init(
            name: String? = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = nil
        ) {
            self.name = name
            self.topicId = topicId
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            name = try reader.readNullableString(flexible, nullable: version >= 6)
            if version >= 6 {
                topicId = try reader.readUUID()
            }
            errorCode = try reader.readErrorCode()
            if version >= 5 {
                errorMessage = try reader.readNullableString(true)
            }
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            if version >= 6 {
                try writer.writeNullable(name, flexible)
            } else if let value = name {
                try writer.write(value, flexible)
            } else {
                throw WireError.nullField("DeleteTopicsResponse.DeletableTopicResult.name", version)
            }
            if version >= 6 {
                writer.write(topicId)
            }
            writer.write(errorCode)
            if version >= 5 {
                try writer.writeNullable(errorMessage, true)
            }
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
