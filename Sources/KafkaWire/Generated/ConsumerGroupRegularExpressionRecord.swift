// swift-format-ignore-file
// Generated from Schemas/records/ConsumerGroupRegularExpressionRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 16 of an internal topic. Version 0, none flexible.
public struct ConsumerGroupRegularExpressionKey: CoordinatorKey {
    public static let messageName: StaticString = "ConsumerGroupRegularExpressionKey"
    public static let recordType: Int16 = 16
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var groupId: String = ""
    public var regularExpression: String = ""

    public init() {}

    public init(
        groupId: String = "",
        regularExpression: String = ""
    ) {
        self.groupId = groupId
        self.regularExpression = regularExpression
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        groupId = try reader.readString(false)
        regularExpression = try reader.readString(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(groupId, false)
        try writer.write(regularExpression, false)
        if false {
        }
    }
}

/// Record type 16 of an internal topic. Version 0, flexible.
public struct ConsumerGroupRegularExpressionValue: CoordinatorValue {
    public static let messageName: StaticString = "ConsumerGroupRegularExpressionValue"
    public static let recordType: Int16 = 16
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var topics: [String] = []
    public var version: Int64 = 0
    public var timestamp: Int64 = 0

    public init() {}

    public init(
        topics: [String] = [],
        version: Int64 = 0,
        timestamp: Int64 = 0
    ) {
        self.topics = topics
        self.version = version
        self.timestamp = timestamp
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        topics = try reader.readArray(true)
        self.version = try reader.readInt64()
        timestamp = try reader.readInt64()
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(topics, true)
        writer.write(self.version)
        writer.write(timestamp)
        writer.writeUnsignedVarint(0)
    }
}
