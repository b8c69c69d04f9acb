// swift-format-ignore-file
// Generated from Schemas/apis/DeleteGroups.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 42. Versions 0 to 2, flexible from 2.
public struct DeleteGroupsRequest: WireRequest {
    public typealias Response = DeleteGroupsResponse
    public static let messageName: StaticString = "DeleteGroupsRequest"
    public static let apiKey: ApiKey = .deleteGroups
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var groupsNames: [String] = []

    public init() {}

    public init(
        groupsNames: [String] = []
    ) {
        self.groupsNames = groupsNames
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        groupsNames = try reader.readArray(flexible)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        try writer.write(groupsNames, flexible)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 42. Versions 0 to 2, flexible from 2.
public struct DeleteGroupsResponse: WireResponse {
    public static let messageName: StaticString = "DeleteGroupsResponse"
    public static let apiKey: ApiKey = .deleteGroups
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    public var results: [DeletableGroupResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        results: [DeletableGroupResult] = []
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
        results = try reader.readArray(flexible, version, elementBytesMin: 4)
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

    public struct DeletableGroupResult: WireStruct {
        public var groupId: String = ""
        public var errorCode: ErrorCode = ErrorCode.none

        public init() {}

        public init(
            groupId: String = "",
            errorCode: ErrorCode = ErrorCode.none
        ) {
            self.groupId = groupId
            self.errorCode = errorCode
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            groupId = try reader.readString(flexible)
            errorCode = try reader.readErrorCode()
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(groupId, flexible)
            writer.write(errorCode)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
