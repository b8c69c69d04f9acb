// swift-format-ignore-file
// Generated from Schemas/records/GroupMetadataRecord.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Record type 2 of an internal topic. Version 0, none flexible.
public struct GroupMetadataKey: CoordinatorKey {
    public static let messageName: StaticString = "GroupMetadataKey"
    public static let recordType: Int16 = 2
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var group: String = ""

    public init() {}

    public init(
        group: String = ""
    ) {
        self.group = group
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        group = try reader.readString(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(group, false)
        if false {
        }
    }
}

/// Record type 2 of an internal topic. Versions 0 to 4, flexible from 4.
public struct GroupMetadataValue: CoordinatorValue {
    public static let messageName: StaticString = "GroupMetadataValue"
    public static let recordType: Int16 = 2
    public static let versions: ClosedRange<Int16> = 0...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    public var protocolType: String = ""
    public var generation: Int32 = 0
    public var `protocol`: String? = ""
    public var leader: String? = ""
    /// Versions from 2, dropped in others.
    public var currentStateTimestamp: Int64 = -1
    public var members: [MemberMetadata] = []

    public init() {}

    public init(
        protocolType: String = "",
        generation: Int32 = 0,
        `protocol`: String? = "",
        leader: String? = "",
        currentStateTimestamp: Int64 = -1,
        members: [MemberMetadata] = []
    ) {
        self.protocolType = protocolType
        self.generation = generation
        self.protocol = `protocol`
        self.leader = leader
        self.currentStateTimestamp = currentStateTimestamp
        self.members = members
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        protocolType = try reader.readString(flexible)
        generation = try reader.readInt32()
        `protocol` = try reader.readNullableString(flexible)
        leader = try reader.readNullableString(flexible)
        if version >= 2 {
            currentStateTimestamp = try reader.readInt64()
        }
        members = try reader.readArray(flexible, version, elementBytesMin: flexible ? 15 : 18)
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        try writer.write(protocolType, flexible)
        writer.write(generation)
        try writer.writeNullable(`protocol`, flexible)
        try writer.writeNullable(leader, flexible)
        if version >= 2 {
            writer.write(currentStateTimestamp)
        }
        try writer.write(members, flexible, version)
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct MemberMetadata: WireStruct {
        public var memberId: String = ""
        /// Versions from 3, dropped in others.
        public var groupInstanceId: String? = nil
        public var clientId: String = ""
        public var clientHost: String = ""
        /// Versions from 1, dropped in others.
        public var rebalanceTimeout: Int32 = -1
        public var sessionTimeout: Int32 = 0
        public var subscription: ByteBuffer = ByteBuffer()
        public var assignment: ByteBuffer = ByteBuffer()

        public init() {}

        public init(
            memberId: String = "",
            groupInstanceId: String? = nil,
            clientId: String = "",
            clientHost: String = "",
            rebalanceTimeout: Int32 = -1,
            sessionTimeout: Int32 = 0,
            subscription: ByteBuffer = ByteBuffer(),
            assignment: ByteBuffer = ByteBuffer()
        ) {
            self.memberId = memberId
            self.groupInstanceId = groupInstanceId
            self.clientId = clientId
            self.clientHost = clientHost
            self.rebalanceTimeout = rebalanceTimeout
            self.sessionTimeout = sessionTimeout
            self.subscription = subscription
            self.assignment = assignment
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            memberId = try reader.readString(flexible)
            if version >= 3 {
                groupInstanceId = try reader.readNullableString(flexible)
            }
            clientId = try reader.readString(flexible)
            clientHost = try reader.readString(flexible)
            if version >= 1 {
                rebalanceTimeout = try reader.readInt32()
            }
            sessionTimeout = try reader.readInt32()
            subscription = try reader.readBytes(flexible)
            assignment = try reader.readBytes(flexible)
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            try writer.write(memberId, flexible)
            if version >= 3 {
                try writer.writeNullable(groupInstanceId, flexible)
            }
            try writer.write(clientId, flexible)
            try writer.write(clientHost, flexible)
            if version >= 1 {
                writer.write(rebalanceTimeout)
            }
            writer.write(sessionTimeout)
            try writer.write(subscription, flexible)
            try writer.write(assignment, flexible)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
