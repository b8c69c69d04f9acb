// swift-format-ignore-file
// Generated from Schemas/apis/DescribeClientQuotas.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 48. Versions 0 to 1, flexible from 1.
public struct DescribeClientQuotasRequest: WireRequest {
    public typealias Response = DescribeClientQuotasResponse
    public static let messageName: StaticString = "DescribeClientQuotasRequest"
    public static let apiKey: ApiKey = .describeClientQuotas
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { version >= 1 }

    public var components: [ComponentData] = []
    public var strict: Bool = false

    public init() {}

    public init(
        components: [ComponentData] = [],
        strict: Bool = false
    ) {
        self.components = components
        self.strict = strict
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 1
        components = try reader.readArray(flexible, version, elementBytesMin: flexible ? 4 : 5)
        strict = try reader.readBool()
        if version >= 1 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 1
        try writer.write(components, flexible, version)
        writer.write(strict)
        if version >= 1 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct ComponentData: WireStruct {
        public var entityType: String = ""
        public var matchType: Int8 = 0
        public var match: String? = ""

        public init() {}

        public init(
            entityType: String = "",
            matchType: Int8 = 0,
            match: String? = ""
        ) {
            self.entityType = entityType
            self.matchType = matchType
            self.match = match
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            entityType = try reader.readString(flexible)
            matchType = try reader.readInt8()
            match = try reader.readNullableString(flexible)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            try writer.write(entityType, flexible)
            writer.write(matchType)
            try writer.writeNullable(match, flexible)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 48. Versions 0 to 1, flexible from 1.
public struct DescribeClientQuotasResponse: WireResponse {
    public static let messageName: StaticString = "DescribeClientQuotasResponse"
    public static let apiKey: ApiKey = .describeClientQuotas
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { version >= 1 }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var errorMessage: String? = ""
    public var entries: [EntryData]? = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        errorMessage: String? = "",
        entries: [EntryData]? = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.entries = entries
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 1
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        errorMessage = try reader.readNullableString(flexible)
        entries = try reader.readNullableArray(flexible, version, elementBytesMin: flexible ? 3 : 8)
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
        writer.write(errorCode)
        try writer.writeNullable(errorMessage, flexible)
        try writer.writeNullable(entries, flexible, version)
        if version >= 1 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct EntryData: WireStruct {
        public var entity: [EntityData] = []
        public var values: [ValueData] = []

        public init() {}

        public init(
            entity: [EntityData] = [],
            values: [ValueData] = []
        ) {
            self.entity = entity
            self.values = values
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            entity = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 4)
            values = try reader.readArray(flexible, version, elementBytesMin: 10)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            try writer.write(entity, flexible, version)
            try writer.write(values, flexible, version)
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

    public struct ValueData: WireStruct {
        public var key: String = ""
        public var value: Double = 0

        public init() {}

        public init(
            key: String = "",
            value: Double = 0
        ) {
            self.key = key
            self.value = value
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            key = try reader.readString(flexible)
            self.value = try reader.readFloat64()
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            try writer.write(key, flexible)
            writer.write(self.value)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
