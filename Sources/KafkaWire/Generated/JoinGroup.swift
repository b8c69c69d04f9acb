// swift-format-ignore-file
// Generated from Schemas/apis/JoinGroup.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 11. Versions 0 to 9, flexible from 6.
public struct JoinGroupRequest: WireRequest {
    public typealias Response = JoinGroupResponse
    public static let messageName: StaticString = "JoinGroupRequest"
    public static let apiKey: ApiKey = .joinGroup
    public static let versions: ClosedRange<Int16> = 0...9
    public static func isFlexible(_ version: Int16) -> Bool { version >= 6 }

    public var groupId: String = ""
    public var sessionTimeoutMs: Int32 = 0
    /// Versions from 1, dropped in others.
    public var rebalanceTimeoutMs: Int32 = -1
    public var memberId: String = ""
    /// Versions from 5.
    public var groupInstanceId: String? = nil
    public var protocolType: String = ""
    public var protocols: [JoinGroupRequestProtocol] = []
    /// Versions from 8, dropped in others.
    public var reason: String? = nil

    public init() {}

    public init(
        groupId: String = "",
        sessionTimeoutMs: Int32 = 0,
        rebalanceTimeoutMs: Int32 = -1,
        memberId: String = "",
        groupInstanceId: String? = nil,
        protocolType: String = "",
        protocols: [JoinGroupRequestProtocol] = [],
        reason: String? = nil
    ) {
        self.groupId = groupId
        self.sessionTimeoutMs = sessionTimeoutMs
        self.rebalanceTimeoutMs = rebalanceTimeoutMs
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
        self.protocolType = protocolType
        self.protocols = protocols
        self.reason = reason
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 6
        groupId = try reader.readString(flexible)
        sessionTimeoutMs = try reader.readInt32()
        if version >= 1 {
            rebalanceTimeoutMs = try reader.readInt32()
        }
        memberId = try reader.readString(flexible)
        if version >= 5 {
            groupInstanceId = try reader.readNullableString(flexible)
        }
        protocolType = try reader.readString(flexible)
        protocols = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 8 {
            reason = try reader.readNullableString(true)
        }
        if version >= 6 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 6
        try writer.write(groupId, flexible)
        writer.write(sessionTimeoutMs)
        if version >= 1 {
            writer.write(rebalanceTimeoutMs)
        }
        try writer.write(memberId, flexible)
        if version >= 5 {
            try writer.writeNullable(groupInstanceId, flexible)
        } else if groupInstanceId != nil { throw WireError.unsupportedField("JoinGroupRequest.groupInstanceId", version) }
        try writer.write(protocolType, flexible)
        try writer.write(protocols, flexible, version)
        if version >= 8 {
            try writer.writeNullable(reason, true)
        }
        if version >= 6 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct JoinGroupRequestProtocol: WireStruct {
        public var name: String = ""
        public var metadata: ByteBuffer = ByteBuffer()

        public init() {}

        public init(
            name: String = "",
            metadata: ByteBuffer = ByteBuffer()
        ) {
            self.name = name
            self.metadata = metadata
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 6
            name = try reader.readString(flexible)
            metadata = try reader.readBytes(flexible)
            if version >= 6 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 6
            try writer.write(name, flexible)
            try writer.write(metadata, flexible)
            if version >= 6 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 11. Versions 0 to 9, flexible from 6.
public struct JoinGroupResponse: WireResponse {
    public static let messageName: StaticString = "JoinGroupResponse"
    public static let apiKey: ApiKey = .joinGroup
    public static let versions: ClosedRange<Int16> = 0...9
    public static func isFlexible(_ version: Int16) -> Bool { version >= 6 }

    /// Versions from 2, dropped in others.
    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var generationId: Int32 = -1
    /// Versions from 7, dropped in others.
    public var protocolType: String? = nil
    /// May be null from 7.
    public var protocolName: String? = ""
    public var leader: String = ""
    /// Versions from 9.
    public var skipAssignment: Bool = false
    public var memberId: String = ""
    public var members: [JoinGroupResponseMember] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        generationId: Int32 = -1,
        protocolType: String? = nil,
        protocolName: String? = "",
        leader: String = "",
        skipAssignment: Bool = false,
        memberId: String = "",
        members: [JoinGroupResponseMember] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.generationId = generationId
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.leader = leader
        self.skipAssignment = skipAssignment
        self.memberId = memberId
        self.members = members
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 6
        if version >= 2 {
            throttleTimeMs = try reader.readInt32()
        }
        errorCode = try reader.readErrorCode()
        generationId = try reader.readInt32()
        if version >= 7 {
            protocolType = try reader.readNullableString(true)
        }
        protocolName = try reader.readNullableString(flexible, nullable: version >= 7)
        leader = try reader.readString(flexible)
        if version >= 9 {
            skipAssignment = try reader.readBool()
        }
        memberId = try reader.readString(flexible)
        members = try reader.readArray(flexible, version, elementBytesMin: flexible ? 4 : 6)
        if version >= 6 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 6
        if version >= 2 {
            writer.write(throttleTimeMs)
        }
        writer.write(errorCode)
        writer.write(generationId)
        if version >= 7 {
            try writer.writeNullable(protocolType, true)
        }
        if version >= 7 {
            try writer.writeNullable(protocolName, flexible)
        } else if let value = protocolName {
            try writer.write(value, flexible)
        } else {
            throw WireError.nullField("JoinGroupResponse.protocolName", version)
        }
        try writer.write(leader, flexible)
        if version >= 9 {
            writer.write(skipAssignment)
        } else if skipAssignment { throw WireError.unsupportedField("JoinGroupResponse.skipAssignment", version) }
        try writer.write(memberId, flexible)
        try writer.write(members, flexible, version)
        if version >= 6 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct JoinGroupResponseMember: WireStruct {
        public var memberId: String = ""
        /// Versions from 5, dropped in others.
        public var groupInstanceId: String? = nil
        public var metadata: ByteBuffer = ByteBuffer()

        public init() {}

        public init(
            memberId: String = "",
            groupInstanceId: String? = nil,
            metadata: ByteBuffer = ByteBuffer()
        ) {
            self.memberId = memberId
            self.groupInstanceId = groupInstanceId
            self.metadata = metadata
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 6
            memberId = try reader.readString(flexible)
            if version >= 5 {
                groupInstanceId = try reader.readNullableString(flexible)
            }
            metadata = try reader.readBytes(flexible)
            if version >= 6 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 6
            try writer.write(memberId, flexible)
            if version >= 5 {
                try writer.writeNullable(groupInstanceId, flexible)
            }
            try writer.write(metadata, flexible)
            if version >= 6 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
