// swift-format-ignore-file
// Generated from Schemas/records/ConsumerGroupMemberMetadataRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 5 of an internal topic. Version 0, none flexible.
public struct ConsumerGroupMemberMetadataKey: CoordinatorKey {
    public static let messageName: StaticString = "ConsumerGroupMemberMetadataKey"
    public static let recordType: Int16 = 5
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var groupId: String = ""
    public var memberId: String = ""

    public init() {}

    public init(
        groupId: String = "",
        memberId: String = ""
    ) {
        self.groupId = groupId
        self.memberId = memberId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        groupId = try reader.readString(false)
        memberId = try reader.readString(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(groupId, false)
        try writer.write(memberId, false)
        if false {
        }
    }
}

/// Record type 5 of an internal topic. Version 0, flexible.
public struct ConsumerGroupMemberMetadataValue: CoordinatorValue {
    public static let messageName: StaticString = "ConsumerGroupMemberMetadataValue"
    public static let recordType: Int16 = 5
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var instanceId: String? = ""
    public var rackId: String? = ""
    public var clientId: String = ""
    public var clientHost: String = ""
    public var subscribedTopicNames: [String] = []
    public var subscribedTopicRegex: String? = ""
    public var rebalanceTimeoutMs: Int32 = -1
    public var serverAssignor: String? = ""
    public var classicMemberMetadata: ClassicMemberMetadata? = nil

    public init() {}

    public init(
        instanceId: String? = "",
        rackId: String? = "",
        clientId: String = "",
        clientHost: String = "",
        subscribedTopicNames: [String] = [],
        subscribedTopicRegex: String? = "",
        rebalanceTimeoutMs: Int32 = -1,
        serverAssignor: String? = "",
        classicMemberMetadata: ClassicMemberMetadata? = nil
    ) {
        self.instanceId = instanceId
        self.rackId = rackId
        self.clientId = clientId
        self.clientHost = clientHost
        self.subscribedTopicNames = subscribedTopicNames
        self.subscribedTopicRegex = subscribedTopicRegex
        self.rebalanceTimeoutMs = rebalanceTimeoutMs
        self.serverAssignor = serverAssignor
        self.classicMemberMetadata = classicMemberMetadata
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        instanceId = try reader.readNullableString(true)
        rackId = try reader.readNullableString(true)
        clientId = try reader.readString(true)
        clientHost = try reader.readString(true)
        subscribedTopicNames = try reader.readArray(true)
        subscribedTopicRegex = try reader.readNullableString(true)
        rebalanceTimeoutMs = try reader.readInt32()
        serverAssignor = try reader.readNullableString(true)
        let taggedCount: Int = try reader.readTaggedFieldCount()
        for _ in 0..<taggedCount {
            let tagged: WireReader.TaggedField = try reader.readTaggedField()
            switch tagged.tag {
            case 0:
                classicMemberMetadata = try reader.readNullableStruct(version)
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
        try writer.writeNullable(instanceId, true)
        try writer.writeNullable(rackId, true)
        try writer.write(clientId, true)
        try writer.write(clientHost, true)
        try writer.write(subscribedTopicNames, true)
        try writer.writeNullable(subscribedTopicRegex, true)
        writer.write(rebalanceTimeoutMs)
        try writer.writeNullable(serverAssignor, true)
        let hasClassicMemberMetadata: Bool = classicMemberMetadata != nil
        var taggedCount: UInt32 = 0
        if hasClassicMemberMetadata { taggedCount += 1 }
        writer.writeUnsignedVarint(taggedCount)
        if hasClassicMemberMetadata {
            let start: Int = writer.beginTaggedField(0)
            try writer.writeNullableStruct(classicMemberMetadata, version)
            try writer.endTaggedField(start)
        }
    }

    public struct ClassicMemberMetadata: WireStruct {
        public var sessionTimeoutMs: Int32 = 0
        public var supportedProtocols: [ClassicProtocol] = []

        public init() {}

        public init(
            sessionTimeoutMs: Int32 = 0,
            supportedProtocols: [ClassicProtocol] = []
        ) {
            self.sessionTimeoutMs = sessionTimeoutMs
            self.supportedProtocols = supportedProtocols
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            sessionTimeoutMs = try reader.readInt32()
            supportedProtocols = try reader.readArray(true, version, elementBytesMin: 3)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(sessionTimeoutMs)
            try writer.write(supportedProtocols, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct ClassicProtocol: WireStruct {
        public var name: String = ""
        public var metadata: ByteBuffer = ByteBuffer()

        public init() {}

        public init(
            name: String = "",
            metadata: ByteBuffer = ByteBuffer()
        ) {
            self.name = name
            self.metadata = metadata
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            metadata = try reader.readBytes(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            try writer.write(metadata, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
