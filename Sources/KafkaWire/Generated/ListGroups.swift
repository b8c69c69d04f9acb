// swift-format-ignore-file
// Generated from Schemas/apis/ListGroups.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 16. Versions 0 to 5, flexible from 3.
public struct ListGroupsRequest: WireRequest {
    public typealias Response = ListGroupsResponse
    public static let messageName: StaticString = "ListGroupsRequest"
    public static let apiKey: ApiKey = .listGroups
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    /// Versions from 4.
    public var statesFilter: [String] = []
    /// Versions from 5.
    public var typesFilter: [String] = []

    public init() {}

    public init(
        statesFilter: [String] = [],
        typesFilter: [String] = []
    ) {
        self.statesFilter = statesFilter
        self.typesFilter = typesFilter
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        if version >= 4 {
            statesFilter = try reader.readArray(true)
        }
        if version >= 5 {
            typesFilter = try reader.readArray(true)
        }
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        if version >= 4 {
            try writer.write(statesFilter, true)
        } else if !statesFilter.isEmpty { throw WireError.unsupportedField("ListGroupsRequest.statesFilter", version) }
        if version >= 5 {
            try writer.write(typesFilter, true)
        } else if !typesFilter.isEmpty { throw WireError.unsupportedField("ListGroupsRequest.typesFilter", version) }
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 16. Versions 0 to 5, flexible from 3.
public struct ListGroupsResponse: WireResponse {
    public static let messageName: StaticString = "ListGroupsResponse"
    public static let apiKey: ApiKey = .listGroups
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    /// Versions from 1, dropped in others.
    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var groups: [ListedGroup] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        groups: [ListedGroup] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.groups = groups
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 3
        if version >= 1 {
            throttleTimeMs = try reader.readInt32()
        }
        errorCode = try reader.readErrorCode()
        groups = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 4)
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 3
        if version >= 1 {
            writer.write(throttleTimeMs)
        }
        writer.write(errorCode)
        try writer.write(groups, flexible, version)
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct ListedGroup: WireStruct {
        public var groupId: String = ""
        public var protocolType: String = ""
        /// Versions from 4, dropped in others.
        public var groupState: String = ""
        /// Versions from 5, dropped in others.
        public var groupType: String = ""

        public init() {}

        public init(
            groupId: String = "",
            protocolType: String = "",
            groupState: String = "",
            groupType: String = ""
        ) {
            self.groupId = groupId
            self.protocolType = protocolType
            self.groupState = groupState
            self.groupType = groupType
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 3
            groupId = try reader.readString(flexible)
            protocolType = try reader.readString(flexible)
            if version >= 4 {
                groupState = try reader.readString(true)
            }
            if version >= 5 {
                groupType = try reader.readString(true)
            }
            if version >= 3 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 3
            try writer.write(groupId, flexible)
            try writer.write(protocolType, flexible)
            if version >= 4 {
                try writer.write(groupState, true)
            }
            if version >= 5 {
                try writer.write(groupType, true)
            }
            if version >= 3 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
