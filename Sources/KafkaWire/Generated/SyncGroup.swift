// swift-format-ignore-file
// Generated from Schemas/apis/SyncGroup.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 14. Versions 0 to 5, flexible from 4.
public struct SyncGroupRequest: WireRequest {
    public typealias Response = SyncGroupResponse
    public static let messageName: StaticString = "SyncGroupRequest"
    public static let apiKey: ApiKey = .syncGroup
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    public var groupId: String = ""
    public var generationId: Int32 = 0
    public var memberId: String = ""
    /// Versions from 3.
    public var groupInstanceId: String? = nil
    /// Versions from 5, dropped in others.
    public var protocolType: String? = nil
    /// Versions from 5, dropped in others.
    public var protocolName: String? = nil
    public var assignments: [SyncGroupRequestAssignment] = []

    public init() {}

    public init(
        groupId: String = "",
        generationId: Int32 = 0,
        memberId: String = "",
        groupInstanceId: String? = nil,
        protocolType: String? = nil,
        protocolName: String? = nil,
        assignments: [SyncGroupRequestAssignment] = []
    ) {
        self.groupId = groupId
        self.generationId = generationId
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.assignments = assignments
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        groupId = try reader.readString(flexible)
        generationId = try reader.readInt32()
        memberId = try reader.readString(flexible)
        if version >= 3 {
            groupInstanceId = try reader.readNullableString(flexible)
        }
        if version >= 5 {
            protocolType = try reader.readNullableString(true)
        }
        if version >= 5 {
            protocolName = try reader.readNullableString(true)
        }
        assignments = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        try writer.write(groupId, flexible)
        writer.write(generationId)
        try writer.write(memberId, flexible)
        if version >= 3 {
            try writer.writeNullable(groupInstanceId, flexible)
        } else if groupInstanceId != nil { throw WireError.unsupportedField("SyncGroupRequest.groupInstanceId", version) }
        if version >= 5 {
            try writer.writeNullable(protocolType, true)
        }
        if version >= 5 {
            try writer.writeNullable(protocolName, true)
        }
        try writer.write(assignments, flexible, version)
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct SyncGroupRequestAssignment: WireStruct {
        public var memberId: String = ""
        public var assignment: ByteBuffer = ByteBuffer()

        public init() {}

        public init(
            memberId: String = "",
            assignment: ByteBuffer = ByteBuffer()
        ) {
            self.memberId = memberId
            self.assignment = assignment
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            memberId = try reader.readString(flexible)
            assignment = try reader.readBytes(flexible)
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            try writer.write(memberId, flexible)
            try writer.write(assignment, flexible)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 14. Versions 0 to 5, flexible from 4.
public struct SyncGroupResponse: WireResponse {
    public static let messageName: StaticString = "SyncGroupResponse"
    public static let apiKey: ApiKey = .syncGroup
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    /// Versions from 1, dropped in others.
    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    /// Versions from 5, dropped in others.
    public var protocolType: String? = nil
    /// Versions from 5, dropped in others.
    public var protocolName: String? = nil
    public var assignment: ByteBuffer = ByteBuffer()

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        protocolType: String? = nil,
        protocolName: String? = nil,
        assignment: ByteBuffer = ByteBuffer()
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.assignment = assignment
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        if version >= 1 {
            throttleTimeMs = try reader.readInt32()
        }
        errorCode = try reader.readErrorCode()
        if version >= 5 {
            protocolType = try reader.readNullableString(true)
        }
        if version >= 5 {
            protocolName = try reader.readNullableString(true)
        }
        assignment = try reader.readBytes(flexible)
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        if version >= 1 {
            writer.write(throttleTimeMs)
        }
        writer.write(errorCode)
        if version >= 5 {
            try writer.writeNullable(protocolType, true)
        }
        if version >= 5 {
            try writer.writeNullable(protocolName, true)
        }
        try writer.write(assignment, flexible)
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }
}
