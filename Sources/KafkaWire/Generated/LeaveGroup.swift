// swift-format-ignore-file
// Generated from Schemas/apis/LeaveGroup.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 13. Versions 0 to 5, flexible from 4.
public struct LeaveGroupRequest: WireRequest {
    public typealias Response = LeaveGroupResponse
    public static let messageName: StaticString = "LeaveGroupRequest"
    public static let apiKey: ApiKey = .leaveGroup
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    public var groupId: String = ""
    /// Versions 0 to 2.
    public var memberId: String = ""
    /// Versions from 3.
    public var members: [MemberIdentity] = []

    public init() {}

    public init(
        groupId: String = "",
        memberId: String = "",
        members: [MemberIdentity] = []
    ) {
        self.groupId = groupId
        self.memberId = memberId
        self.members = members
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        groupId = try reader.readString(flexible)
        if version <= 2 {
            memberId = try reader.readString(false)
        }
        if version >= 3 {
            members = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 4)
        }
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
        if version <= 2 {
            try writer.write(memberId, false)
        } else if !memberId.isEmpty { throw WireError.unsupportedField("LeaveGroupRequest.memberId", version) }
        if version >= 3 {
            try writer.write(members, flexible, version)
        } else if !members.isEmpty { throw WireError.unsupportedField("LeaveGroupRequest.members", version) }
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct MemberIdentity: WireStruct {
        public var memberId: String = ""
        public var groupInstanceId: String? = nil
        /// Versions from 5, dropped in others.
        public var reason: String? = nil

        public init() {}

        public init(
            memberId: String = "",
            groupInstanceId: String? = nil,
            reason: String? = nil
        ) {
            self.memberId = memberId
            self.groupInstanceId = groupInstanceId
            self.reason = reason
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            memberId = try reader.readString(flexible)
            groupInstanceId = try reader.readNullableString(flexible)
            if version >= 5 {
                reason = try reader.readNullableString(true)
            }
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            try writer.write(memberId, flexible)
            try writer.writeNullable(groupInstanceId, flexible)
            if version >= 5 {
                try writer.writeNullable(reason, true)
            }
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 13. Versions 0 to 5, flexible from 4.
public struct LeaveGroupResponse: WireResponse {
    public static let messageName: StaticString = "LeaveGroupResponse"
    public static let apiKey: ApiKey = .leaveGroup
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    /// Versions from 1, dropped in others.
    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    /// Versions from 3.
    public var members: [MemberResponse] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        members: [MemberResponse] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.members = members
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
        if version >= 3 {
            members = try reader.readArray(flexible, version, elementBytesMin: flexible ? 5 : 6)
        }
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
        if version >= 3 {
            try writer.write(members, flexible, version)
        } else if !members.isEmpty { throw WireError.unsupportedField("LeaveGroupResponse.members", version) }
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct MemberResponse: WireStruct {
        public var memberId: String = ""
        public var groupInstanceId: String? = ""
        public var errorCode: ErrorCode = ErrorCode.none

        public init() {}

        public init(
            memberId: String = "",
            groupInstanceId: String? = "",
            errorCode: ErrorCode = ErrorCode.none
        ) {
            self.memberId = memberId
            self.groupInstanceId = groupInstanceId
            self.errorCode = errorCode
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            memberId = try reader.readString(flexible)
            groupInstanceId = try reader.readNullableString(flexible)
            errorCode = try reader.readErrorCode()
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            try writer.write(memberId, flexible)
            try writer.writeNullable(groupInstanceId, flexible)
            writer.write(errorCode)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
