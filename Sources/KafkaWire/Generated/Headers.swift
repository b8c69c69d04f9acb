// swift-format-ignore-file
// Generated from Schemas/Headers.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Versions 1 to 2, flexible from 2.
public struct RequestHeader: WireMessage {
    public static let messageName: StaticString = "RequestHeader"
    public static let versions: ClosedRange<Int16> = 1...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var requestApiKey: Int16 = 0
    public var requestApiVersion: Int16 = 0
    public var correlationId: Int32 = 0
    public var clientId: String? = ""

    public init() {}

    public init(
        requestApiKey: Int16 = 0,
        requestApiVersion: Int16 = 0,
        correlationId: Int32 = 0,
        clientId: String? = ""
    ) {
        self.requestApiKey = requestApiKey
        self.requestApiVersion = requestApiVersion
        self.correlationId = correlationId
        self.clientId = clientId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        requestApiKey = try reader.readInt16()
        requestApiVersion = try reader.readInt16()
        correlationId = try reader.readInt32()
        clientId = try reader.readNullableString(false)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(requestApiKey)
        writer.write(requestApiVersion)
        writer.write(correlationId)
        try writer.writeNullable(clientId, false)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Versions 0 to 1, flexible from 1.
public struct ResponseHeader: WireMessage {
    public static let messageName: StaticString = "ResponseHeader"
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { version >= 1 }

    public var correlationId: Int32 = 0

    public init() {}

    public init(
        correlationId: Int32 = 0
    ) {
        self.correlationId = correlationId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        correlationId = try reader.readInt32()
        if version >= 1 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(correlationId)
        if version >= 1 {
            writer.writeUnsignedVarint(0)
        }
    }
}
