// swift-format-ignore-file
// Generated from Schemas/apis/CreatePartitions.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 37. Versions 0 to 3, flexible from 2.
public struct CreatePartitionsRequest: WireRequest {
    public typealias Response = CreatePartitionsResponse
    public static let messageName: StaticString = "CreatePartitionsRequest"
    public static let apiKey: ApiKey = .createPartitions
    public static let versions: ClosedRange<Int16> = 0...3
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var topics: [CreatePartitionsTopic] = []
    public var timeoutMs: Int32 = 0
    public var validateOnly: Bool = false

    public init() {}

    public init(
        topics: [CreatePartitionsTopic] = [],
        timeoutMs: Int32 = 0,
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
        let flexible: Bool = version >= 2
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 7 : 10)
        timeoutMs = try reader.readInt32()
        validateOnly = try reader.readBool()
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        try writer.write(topics, flexible, version)
        writer.write(timeoutMs)
        writer.write(validateOnly)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct CreatePartitionsTopic: WireStruct {
        public var name: String = ""
        public var count: Int32 = 0
        public var assignments: [CreatePartitionsAssignment]? = []

        public init() {}

        public init(
            name: String = "",
            count: Int32 = 0,
            assignments: [CreatePartitionsAssignment]? = []
        ) {
            self.name = name
            self.count = count
            self.assignments = assignments
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            name = try reader.readString(flexible)
            count = try reader.readInt32()
            assignments = try reader.readNullableArray(flexible, version, elementBytesMin: flexible ? 2 : 4)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(name, flexible)
            writer.write(count)
            try writer.writeNullable(assignments, flexible, version)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct CreatePartitionsAssignment: WireStruct {
        public var brokerIds: [Int32] = []

        public init() {}

        public init(
            brokerIds: [Int32] = []
        ) {
            self.brokerIds = brokerIds
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            brokerIds = try reader.readArray(flexible)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(brokerIds, flexible)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 37. Versions 0 to 3, flexible from 2.
public struct CreatePartitionsResponse: WireResponse {
    public static let messageName: StaticString = "CreatePartitionsResponse"
    public static let apiKey: ApiKey = .createPartitions
    public static let versions: ClosedRange<Int16> = 0...3
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    public var results: [CreatePartitionsTopicResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        results: [CreatePartitionsTopicResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.results = results
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        throttleTimeMs = try reader.readInt32()
        results = try reader.readArray(flexible, version, elementBytesMin: flexible ? 5 : 6)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        writer.write(throttleTimeMs)
        try writer.write(results, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct CreatePartitionsTopicResult: WireStruct {
        public var name: String = ""
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = nil

        public init() {}

        public init(
            name: String = "",
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = nil
        ) {
            self.name = name
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            name = try reader.readString(flexible)
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(name, flexible)
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
