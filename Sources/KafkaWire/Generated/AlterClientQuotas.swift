// swift-format-ignore-file
// Generated from Schemas/apis/AlterClientQuotas.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 49. Versions 0 to 1, flexible from 1.
public struct AlterClientQuotasRequest: WireRequest {
    public typealias Response = AlterClientQuotasResponse
    public static let messageName: StaticString = "AlterClientQuotasRequest"
    public static let apiKey: ApiKey = .alterClientQuotas
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { version >= 1 }

    public var entries: [EntryData] = []
    public var validateOnly: Bool = false

    public init() {}

    public init(
        entries: [EntryData] = [],
        validateOnly: Bool = false
    ) {
        self.entries = entries
        self.validateOnly = validateOnly
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 1
        entries = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 8)
        validateOnly = try reader.readBool()
        if version >= 1 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 1
        try writer.write(entries, flexible, version)
        writer.write(validateOnly)
        if version >= 1 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct EntryData: WireStruct {
        public var entity: [EntityData] = []
        public var ops: [OpData] = []

        public init() {}

        public init(
            entity: [EntityData] = [],
            ops: [OpData] = []
        ) {
            self.entity = entity
            self.ops = ops
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            entity = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 4)
            ops = try reader.readArray(flexible, version, elementBytesMin: 11)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            try writer.write(entity, flexible, version)
            try writer.write(ops, flexible, version)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct EntityData: WireStruct {
        public var entityType: String = ""
        public var entityName: String? = ""

        public init() {}

        public init(
            entityType: String = "",
            entityName: String? = ""
        ) {
            self.entityType = entityType
            self.entityName = entityName
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            entityType = try reader.readString(flexible)
            entityName = try reader.readNullableString(flexible)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            try writer.write(entityType, flexible)
            try writer.writeNullable(entityName, flexible)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct OpData: WireStruct {
        public var key: String = ""
        public var value: Double = 0
        public var remove: Bool = false

        public init() {}

        public init(
            key: String = "",
            value: Double = 0,
            remove: Bool = false
        ) {
            self.key = key
            self.value = value
            self.remove = remove
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            key = try reader.readString(flexible)
            self.value = try reader.readFloat64()
            remove = try reader.readBool()
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            try writer.write(key, flexible)
            writer.write(self.value)
            writer.write(remove)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 49. Versions 0 to 1, flexible from 1.
public struct AlterClientQuotasResponse: WireResponse {
    public static let messageName: StaticString = "AlterClientQuotasResponse"
    public static let apiKey: ApiKey = .alterClientQuotas
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { version >= 1 }

    public var throttleTimeMs: Int32 = 0
    public var entries: [EntryData] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        entries: [EntryData] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.entries = entries
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 1
        throttleTimeMs = try reader.readInt32()
        entries = try reader.readArray(flexible, version, elementBytesMin: flexible ? 5 : 8)
        if version >= 1 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 1
        writer.write(throttleTimeMs)
        try writer.write(entries, flexible, version)
        if version >= 1 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct EntryData: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""
        public var entity: [EntityData] = []

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = "",
            entity: [EntityData] = []
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.entity = entity
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            entity = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 4)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            try writer.write(entity, flexible, version)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct EntityData: WireStruct {
        public var entityType: String = ""
        public var entityName: String? = ""

        public init() {}

        public init(
            entityType: String = "",
            entityName: String? = ""
        ) {
            self.entityType = entityType
            self.entityName = entityName
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            entityType = try reader.readString(flexible)
            entityName = try reader.readNullableString(flexible)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            try writer.write(entityType, flexible)
            try writer.writeNullable(entityName, flexible)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
