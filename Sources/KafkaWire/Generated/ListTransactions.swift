// swift-format-ignore-file
// Generated from Schemas/apis/ListTransactions.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 66. Versions 0 to 2, flexible.
public struct ListTransactionsRequest: WireRequest {
    public typealias Response = ListTransactionsResponse
    public static let messageName: StaticString = "ListTransactionsRequest"
    public static let apiKey: ApiKey = .listTransactions
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var stateFilters: [String] = []
    public var producerIdFilters: [Int64] = []
    /// Versions from 1.
    public var durationFilter: Int64 = -1
    /// Versions from 2.
    public var transactionalIdPattern: String? = nil

    public init() {}

    public init(
        stateFilters: [String] = [],
        producerIdFilters: [Int64] = [],
        durationFilter: Int64 = -1,
        transactionalIdPattern: String? = nil
    ) {
        self.stateFilters = stateFilters
        self.producerIdFilters = producerIdFilters
        self.durationFilter = durationFilter
        self.transactionalIdPattern = transactionalIdPattern
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        stateFilters = try reader.readArray(true)
        producerIdFilters = try reader.readArray(true)
        if version >= 1 {
            durationFilter = try reader.readInt64()
        }
        if version >= 2 {
            transactionalIdPattern = try reader.readNullableString(true)
        }
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(stateFilters, true)
        try writer.write(producerIdFilters, true)
        if version >= 1 {
            writer.write(durationFilter)
        } else if durationFilter != -1 { throw WireError.unsupportedField("ListTransactionsRequest.durationFilter", version) }
        if version >= 2 {
            try writer.writeNullable(transactionalIdPattern, true)
        } else if transactionalIdPattern != nil { throw WireError.unsupportedField("ListTransactionsRequest.transactionalIdPattern", version) }
        writer.writeUnsignedVarint(0)
    }
}

/// Response 66. Versions 0 to 2, flexible.
public struct ListTransactionsResponse: WireResponse {
    public static let messageName: StaticString = "ListTransactionsResponse"
    public static let apiKey: ApiKey = .listTransactions
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var unknownStateFilters: [String] = []
    public var transactionStates: [TransactionState] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        unknownStateFilters: [String] = [],
        transactionStates: [TransactionState] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.unknownStateFilters = unknownStateFilters
        self.transactionStates = transactionStates
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        unknownStateFilters = try reader.readArray(true)
        transactionStates = try reader.readArray(true, version, elementBytesMin: 11)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        writer.write(errorCode)
        try writer.write(unknownStateFilters, true)
        try writer.write(transactionStates, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct TransactionState: WireStruct {
        public var transactionalId: String = ""
        public var producerId: Int64 = 0
        public var transactionState: String = ""

        public init() {}

        public init(
            transactionalId: String = "",
            producerId: Int64 = 0,
            transactionState: String = ""
        ) {
            self.transactionalId = transactionalId
            self.producerId = producerId
            self.transactionState = transactionState
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            transactionalId = try reader.readString(true)
            producerId = try reader.readInt64()
            transactionState = try reader.readString(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(transactionalId, true)
            writer.write(producerId)
            try writer.write(transactionState, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
