// swift-format-ignore-file
// Generated from Schemas/records/ConsumerGroupMetadataRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 3 of an internal topic. Version 0, none flexible.
public struct ConsumerGroupMetadataKey: CoordinatorKey {
    public static let messageName: StaticString = "ConsumerGroupMetadataKey"
    public static let recordType: Int16 = 3
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

/// Record type 3 of an internal topic. Version 0, flexible.
public struct ConsumerGroupMetadataValue: CoordinatorValue {
    public static let messageName: StaticString = "ConsumerGroupMetadataValue"
    public static let recordType: Int16 = 3
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var epoch: Int32 = 0
    public var metadataHash: Int64 = 0

    public init() {}

    public init(
        epoch: Int32 = 0,
        metadataHash: Int64 = 0
    ) {
        self.epoch = epoch
        self.metadataHash = metadataHash
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        epoch = try reader.readInt32()
        let taggedCount: Int = try reader.readTaggedFieldCount()
        for _ in 0..<taggedCount {
            let tagged: WireReader.TaggedField = try reader.readTaggedField()
            switch tagged.tag {
            case 0:
                metadataHash = try reader.readInt64()
            default:
                try reader.skip(tagged)
            }
            try reader.checkEnd(of: tagged)
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(epoch)
        let hasMetadataHash: Bool = metadataHash != 0
        var taggedCount: UInt32 = 0
        if hasMetadataHash { taggedCount += 1 }
        writer.writeUnsignedVarint(taggedCount)
        if hasMetadataHash {
            let start: Int = writer.beginTaggedField(0)
            writer.write(metadataHash)
            try writer.endTaggedField(start)
        }
    }
}
