// swift-format-ignore-file
// Generated from Schemas/apis/AlterConfigs.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 33. Versions 0 to 2, flexible from 2.
public struct AlterConfigsRequest: WireRequest {
    public typealias Response = AlterConfigsResponse
    public static let messageName: StaticString = "AlterConfigsRequest"
    public static let apiKey: ApiKey = .alterConfigs
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var resources: [AlterConfigsResource] = []
    public var validateOnly: Bool = false

    public init() {}

    public init(
        resources: [AlterConfigsResource] = [],
        validateOnly: Bool = false
    ) {
        self.resources = resources
        self.validateOnly = validateOnly
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        resources = try reader.readArray(flexible, version, elementBytesMin: flexible ? 4 : 7)
        validateOnly = try reader.readBool()
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        try writer.write(resources, flexible, version)
        writer.write(validateOnly)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AlterConfigsResource: WireStruct {
        public var resourceType: Int8 = 0
        public var resourceName: String = ""
        public var configs: [AlterableConfig] = []

        public init() {}

        public init(
            resourceType: Int8 = 0,
            resourceName: String = "",
            configs: [AlterableConfig] = []
        ) {
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.configs = configs
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            resourceType = try reader.readInt8()
            resourceName = try reader.readString(flexible)
            configs = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 4)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            writer.write(resourceType)
            try writer.write(resourceName, flexible)
            try writer.write(configs, flexible, version)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct AlterableConfig: WireStruct {
        public var name: String = ""
        public var value: String? = ""

        public init() {}

        public init(
            name: String = "",
            value: String? = ""
        ) {
            self.name = name
            self.value = value
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            name = try reader.readString(flexible)
            self.value = try reader.readNullableString(flexible)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            try writer.write(name, flexible)
            try writer.writeNullable(self.value, flexible)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 33. Versions 0 to 2, flexible from 2.
public struct AlterConfigsResponse: WireResponse {
    public static let messageName: StaticString = "AlterConfigsResponse"
    public static let apiKey: ApiKey = .alterConfigs
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    public var responses: [AlterConfigsResourceResponse] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        responses: [AlterConfigsResourceResponse] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.responses = responses
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        throttleTimeMs = try reader.readInt32()
        responses = try reader.readArray(flexible, version, elementBytesMin: flexible ? 6 : 7)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        writer.write(throttleTimeMs)
        try writer.write(responses, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AlterConfigsResourceResponse: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""
        public var resourceType: Int8 = 0
        public var resourceName: String = ""

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = "",
            resourceType: Int8 = 0,
            resourceName: String = ""
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.resourceType = resourceType
            self.resourceName = resourceName
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            resourceType = try reader.readInt8()
            resourceName = try reader.readString(flexible)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            writer.write(resourceType)
            try writer.write(resourceName, flexible)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
