// swift-format-ignore-file
// Generated from Schemas/apis/AddOffsetsToTxn.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 25. Versions 0 to 4, flexible from 3.
public struct AddOffsetsToTxnRequest: WireRequest {
    public typealias Response = AddOffsetsToTxnResponse
    public static let messageName: StaticString = "AddOffsetsToTxnRequest"
    public static let apiKey: ApiKey = .addOffsetsToTxn
    public static let versions: ClosedRange<Int16> = 0...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    public var transactionalId: String = ""
    public var producerId: Int64 = 0
    public var producerEpoch: Int16 = 0
    public var groupId: String = ""

    public init() {}

    public init(
        transactionalId: String = "",
        producerId: Int64 = 0,
        producerEpoch: Int16 = 0,
        groupId: String = ""
    ) {
        self.transactionalId = transactionalId
        self.producerId = producerId
        self.producerEpoch = producerEpoch
        self.groupId = groupId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 3
        transactionalId = try reader.readString(flexible)
        producerId = try reader.readInt64()
        producerEpoch = try reader.readInt16()
        groupId = try reader.readString(flexible)
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 3
        try writer.write(transactionalId, flexible)
        writer.write(producerId)
        writer.write(producerEpoch)
        try writer.write(groupId, flexible)
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 25. Versions 0 to 4, flexible from 3.
public struct AddOffsetsToTxnResponse: WireResponse {
    public static let messageName: StaticString = "AddOffsetsToTxnResponse"
    public static let apiKey: ApiKey = .addOffsetsToTxn
    public static let versions: ClosedRange<Int16> = 0...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

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
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        writer.write(errorCode)
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }
}
