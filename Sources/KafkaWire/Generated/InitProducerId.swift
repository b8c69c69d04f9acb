// swift-format-ignore-file
// Generated from Schemas/apis/InitProducerId.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 22. Versions 0 to 6, flexible from 2.
public struct InitProducerIdRequest: WireRequest {
    public typealias Response = InitProducerIdResponse
    public static let messageName: StaticString = "InitProducerIdRequest"
    public static let apiKey: ApiKey = .initProducerId
    public static let versions: ClosedRange<Int16> = 0...6
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var transactionalId: String? = ""
    public var transactionTimeoutMs: Int32 = 0
    /// Versions from 3.
    public var producerId: Int64 = -1
    /// Versions from 3.
    public var producerEpoch: Int16 = -1
    /// Versions from 6.
    public var enable2Pc: Bool = false
    /// Versions from 6.
    public var keepPreparedTxn: Bool = false

    public init() {}

    public init(
        transactionalId: String? = "",
        transactionTimeoutMs: Int32 = 0,
        producerId: Int64 = -1,
        producerEpoch: Int16 = -1,
        enable2Pc: Bool = false,
        keepPreparedTxn: Bool = false
    ) {
        self.transactionalId = transactionalId
        self.transactionTimeoutMs = transactionTimeoutMs
        self.producerId = producerId
        self.producerEpoch = producerEpoch
        self.enable2Pc = enable2Pc
        self.keepPreparedTxn = keepPreparedTxn
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        transactionalId = try reader.readNullableString(flexible)
        transactionTimeoutMs = try reader.readInt32()
        if version >= 3 {
            producerId = try reader.readInt64()
        }
        if version >= 3 {
            producerEpoch = try reader.readInt16()
        }
        if version >= 6 {
            enable2Pc = try reader.readBool()
        }
        if version >= 6 {
            keepPreparedTxn = try reader.readBool()
        }
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        try writer.writeNullable(transactionalId, flexible)
        writer.write(transactionTimeoutMs)
        if version >= 3 {
            writer.write(producerId)
        } else if producerId != -1 { throw WireError.unsupportedField("InitProducerIdRequest.producerId", version) }
        if version >= 3 {
            writer.write(producerEpoch)
        } else if producerEpoch != -1 { throw WireError.unsupportedField("InitProducerIdRequest.producerEpoch", version) }
        if version >= 6 {
            writer.write(enable2Pc)
        } else if enable2Pc { throw WireError.unsupportedField("InitProducerIdRequest.enable2Pc", version) }
        if version >= 6 {
            writer.write(keepPreparedTxn)
        } else if keepPreparedTxn { throw WireError.unsupportedField("InitProducerIdRequest.keepPreparedTxn", version) }
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 22. Versions 0 to 6, flexible from 2.
public struct InitProducerIdResponse: WireResponse {
    public static let messageName: StaticString = "InitProducerIdResponse"
    public static let apiKey: ApiKey = .initProducerId
    public static let versions: ClosedRange<Int16> = 0...6
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var producerId: Int64 = -1
    public var producerEpoch: Int16 = 0
    /// Versions from 6.
    public var ongoingTxnProducerId: Int64 = -1
    /// Versions from 6.
    public var ongoingTxnProducerEpoch: Int16 = -1

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        producerId: Int64 = -1,
        producerEpoch: Int16 = 0,
        ongoingTxnProducerId: Int64 = -1,
        ongoingTxnProducerEpoch: Int16 = -1
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.producerId = producerId
        self.producerEpoch = producerEpoch
        self.ongoingTxnProducerId = ongoingTxnProducerId
        self.ongoingTxnProducerEpoch = ongoingTxnProducerEpoch
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        producerId = try reader.readInt64()
        producerEpoch = try reader.readInt16()
        if version >= 6 {
            ongoingTxnProducerId = try reader.readInt64()
        }
        if version >= 6 {
            ongoingTxnProducerEpoch = try reader.readInt16()
        }
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        writer.write(errorCode)
        writer.write(producerId)
        writer.write(producerEpoch)
        if version >= 6 {
            writer.write(ongoingTxnProducerId)
        } else if ongoingTxnProducerId != -1 { throw WireError.unsupportedField("InitProducerIdResponse.ongoingTxnProducerId", version) }
        if version >= 6 {
            writer.write(ongoingTxnProducerEpoch)
        } else if ongoingTxnProducerEpoch != -1 { throw WireError.unsupportedField("InitProducerIdResponse.ongoingTxnProducerEpoch", version) }
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }
}
