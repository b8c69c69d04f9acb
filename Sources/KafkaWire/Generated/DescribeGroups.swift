// swift-format-ignore-file
// Generated from Schemas/apis/DescribeGroups.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 15. Versions 0 to 6, flexible from 5.
public struct DescribeGroupsRequest: WireRequest {
    public typealias Response = DescribeGroupsResponse
    public static let messageName: StaticString = "DescribeGroupsRequest"
    public static let apiKey: ApiKey = .describeGroups
    public static let versions: ClosedRange<Int16> = 0...6
    public static func isFlexible(_ version: Int16) -> Bool { version >= 5 }

    public var groups: [String] = []
    /// Versions from 3.
    public var includeAuthorizedOperations: Bool = false

    public init() {}

    public init(
        groups: [String] = [],
        includeAuthorizedOperations: Bool = false
    ) {
        self.groups = groups
        self.includeAuthorizedOperations = includeAuthorizedOperations
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 5
        groups = try reader.readArray(flexible)
        if version >= 3 {
            includeAuthorizedOperations = try reader.readBool()
        }
        if version >= 5 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 5
        try writer.write(groups, flexible)
        if version >= 3 {
            writer.write(includeAuthorizedOperations)
        } else if includeAuthorizedOperations { throw WireError.unsupportedField("DescribeGroupsRequest.includeAuthorizedOperations", version) }
        if version >= 5 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 15. Versions 0 to 6, flexible from 5.
public struct DescribeGroupsResponse: WireResponse {
    public static let messageName: StaticString = "DescribeGroupsResponse"
    public static let apiKey: ApiKey = .describeGroups
    public static let versions: ClosedRange<Int16> = 0...6
    public static func isFlexible(_ version: Int16) -> Bool { version >= 5 }

    /// Versions from 1, dropped in others.
    public var throttleTimeMs: Int32 = 0
    public var groups: [DescribedGroup] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        groups: [DescribedGroup] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.groups = groups
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 5
        if version >= 1 {
            throttleTimeMs = try reader.readInt32()
        }
        groups = try reader.readArray(flexible, version, elementBytesMin: flexible ? 12 : 14)
        if version >= 5 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 5
        if version >= 1 {
            writer.write(throttleTimeMs)
        }
        try writer.write(groups, flexible, version)
        if version >= 5 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DescribedGroup: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        /// Versions from 6.
        public var errorMessage: String? = nil
        public var groupId: String = ""
        public var groupState: String = ""
        public var protocolType: String = ""
        public var protocolData: String = ""
        public var members: [DescribedGroupMember] = []
        /// Versions from 3.
        public var authorizedOperations: Int32 = -2147483648

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = nil,
            groupId: String = "",
            groupState: String = "",
            protocolType: String = "",
            protocolData: String = "",
            members: [DescribedGroupMember] = [],
            authorizedOperations: Int32 = -2147483648
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.groupId = groupId
            self.groupState = groupState
            self.protocolType = protocolType
            self.protocolData = protocolData
            self.members = members
            self.authorizedOperations = authorizedOperations
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 5
            errorCode = try reader.readErrorCode()
            if version >= 6 {
                errorMessage = try reader.readNullableString(true)
            }
            groupId = try reader.readString(flexible)
            groupState = try reader.readString(flexible)
            protocolType = try reader.readString(flexible)
            protocolData = try reader.readString(flexible)
            members = try reader.readArray(flexible, version, elementBytesMin: flexible ? 7 : 14)
            if version >= 3 {
                authorizedOperations = try reader.readInt32()
            }
            if version >= 5 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 5
            writer.write(errorCode)
            if version >= 6 {
                try writer.writeNullable(errorMessage, true)
            } else if errorMessage != nil { throw WireError.unsupportedField("DescribeGroupsResponse.DescribedGroup.errorMessage", version) }
            try writer.write(groupId, flexible)
            try writer.write(groupState, flexible)
            try writer.write(protocolType, flexible)
            try writer.write(protocolData, flexible)
            try writer.write(members, flexible, version)
            if version >= 3 {
                writer.write(authorizedOperations)
            } else if authorizedOperations != -2147483648 { throw WireError.unsupportedField("DescribeGroupsResponse.DescribedGroup.authorizedOperations", version) }
            if version >= 5 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct DescribedGroupMember: WireStruct {
        public var memberId: String = ""
        /// Versions from 4, dropped in others.
        public var groupInstanceId: String? = nil
        public var clientId: String = ""
        public var clientHost: String = ""
        public var memberMetadata: ByteBuffer = ByteBuffer()
        public var memberAssignment: ByteBuffer = ByteBuffer()

        public init() {}

        public init(
            memberId: String = "",
            groupInstanceId: String? = nil,
            clientId: String = "",
            clientHost: String = "",
            memberMetadata: ByteBuffer = ByteBuffer(),
            memberAssignment: ByteBuffer = ByteBuffer()
        ) {
            self.memberId = memberId
            self.groupInstanceId = groupInstanceId
            self.clientId = clientId
            self.clientHost = clientHost
            self.memberMetadata = memberMetadata
            self.memberAssignment = memberAssignment
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 5
            memberId = try reader.readString(flexible)
            if version >= 4 {
                groupInstanceId = try reader.readNullableString(flexible)
            }
            clientId = try reader.readString(flexible)
            clientHost = try reader.readString(flexible)
            memberMetadata = try reader.readBytes(flexible)
            memberAssignment = try reader.readBytes(flexible)
            if version >= 5 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 5
            try writer.write(memberId, flexible)
            if version >= 4 {
                try writer.writeNullable(groupInstanceId, flexible)
            }
            try writer.write(clientId, flexible)
            try writer.write(clientHost, flexible)
            try writer.write(memberMetadata, flexible)
            try writer.write(memberAssignment, flexible)
            if version >= 5 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
