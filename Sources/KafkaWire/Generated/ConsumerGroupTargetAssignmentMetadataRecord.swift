// swift-format-ignore-file
// Generated from Schemas/records/ConsumerGroupTargetAssignmentMetadataRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 6 of an internal topic. Version 0, none flexible.
public struct ConsumerGroupTargetAssignmentMetadataKey: CoordinatorKey {
    public static let messageName: StaticString = "ConsumerGroupTargetAssignmentMetadataKey"
    public static let recordType: Int16 = 6
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var groupId: String = ""

    public init() {}

    public init(
        groupId: String = ""
    ) {
        self.groupId = groupId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        groupId = try reader.readString(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(groupId, false)
        if false {
        }
    }
}

/// Record type 6 of an internal topic. Version 0, flexible.
public struct ConsumerGroupTargetAssignmentMetadataValue: CoordinatorValue {
    public static let messageName: StaticString = "ConsumerGroupTargetAssignmentMetadataValue"
    public static let recordType: Int16 = 6
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var assignmentEpoch: Int32 = 0

    public init() {}

    public init(
        assignmentEpoch: Int32 = 0
    ) {
        self.assignmentEpoch = assignmentEpoch
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        assignmentEpoch = try reader.readInt32()
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(assignmentEpoch)
        writer.writeUnsignedVarint(0)
    }
}
