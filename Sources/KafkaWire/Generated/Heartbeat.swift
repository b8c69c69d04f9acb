// swift-format-ignore-file
// Generated from Schemas/apis/Heartbeat.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 12. Versions 0 to 4, flexible from 4.
public struct HeartbeatRequest: WireRequest {
    public typealias Response = HeartbeatResponse
    public static let messageName: StaticString = "HeartbeatRequest"
    public static let apiKey: ApiKey = .heartbeat
    public static let versions: ClosedRange<Int16> = 0...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    public var groupId: String = ""
    public var generationId: Int32 = 0
    public var memberId: String = ""
    /// Versions from 3.
    public var groupInstanceId: String? = nil

    public init() {}

    public init(
        groupId: String = "",
        generationId: Int32 = 0,
        memberId: String = "",
        groupInstanceId: String? = nil
    ) {
        self.groupId = groupId
        self.generationId = generationId
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
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
        } else if groupInstanceId != nil { throw WireError.unsupportedField("HeartbeatRequest.groupInstanceId", version) }
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 12. Versions 0 to 4, flexible from 4.
public struct HeartbeatResponse: WireResponse {
    public static let messageName: StaticString = "HeartbeatResponse"
    public static let apiKey: ApiKey = .heartbeat
    public static let versions: ClosedRange<Int16> = 0...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    /// Versions from 1, dropped in others.
    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        if version >= 1 {
            throttleTimeMs = try reader.readInt32()
        }
        errorCode = try reader.readErrorCode()
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        if version >= 1 {
            writer.write(throttleTimeMs)
        }
        writer.write(errorCode)
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }
}
