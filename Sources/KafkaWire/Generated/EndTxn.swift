// swift-format-ignore-file
// Generated from Schemas/apis/EndTxn.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 26. Versions 0 to 5, flexible from 3.
public struct EndTxnRequest: WireRequest {
    public typealias Response = EndTxnResponse
    public static let messageName: StaticString = "EndTxnRequest"
    public static let apiKey: ApiKey = .endTxn
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    public var transactionalId: String = ""
    public var producerId: Int64 = 0
    public var producerEpoch: Int16 = 0
    public var committed: Bool = false

    public init() {}

    public init(
        transactionalId: String = "",
        producerId: Int64 = 0,
        producerEpoch: Int16 = 0,
        committed: Bool = false
    ) {
        self.transactionalId = transactionalId
        self.producerId = producerId
        self.producerEpoch = producerEpoch
        self.committed = committed
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
        committed = try reader.readBool()
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
        writer.write(committed)
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 26. Versions 0 to 5, flexible from 3.
public struct EndTxnResponse: WireResponse {
    public static let messageName: StaticString = "EndTxnResponse"
    public static let apiKey: ApiKey = .endTxn
    public static let versions: ClosedRange<Int16> = 0...5
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    /// Versions from 5, dropped in others.
    public var producerId: Int64 = -1
    /// Versions from 5, dropped in others.
    public var producerEpoch: Int16 = -1

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        producerId: Int64 = -1,
        producerEpoch: Int16 = -1
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.producerId = producerId
        self.producerEpoch = producerEpoch
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        if version >= 5 {
            producerId = try reader.readInt64()
        }
        if version >= 5 {
            producerEpoch = try reader.readInt16()
        }
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
        if version >= 5 {
            writer.write(producerId)
        }
        if version >= 5 {
            writer.write(producerEpoch)
        }
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }
}
