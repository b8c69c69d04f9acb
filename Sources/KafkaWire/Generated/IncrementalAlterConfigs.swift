// swift-format-ignore-file
// Generated from Schemas/apis/IncrementalAlterConfigs.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 44. Versions 0 to 1, flexible from 1.
public struct IncrementalAlterConfigsRequest: WireRequest {
    public typealias Response = IncrementalAlterConfigsResponse
    public static let messageName: StaticString = "IncrementalAlterConfigsRequest"
    public static let apiKey: ApiKey = .incrementalAlterConfigs
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { version >= 1 }

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
        let flexible: Bool = version >= 1
        resources = try reader.readArray(flexible, version, elementBytesMin: flexible ? 4 : 7)
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
        try writer.write(resources, flexible, version)
        writer.write(validateOnly)
        if version >= 1 {
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
            let flexible: Bool = version >= 1
            resourceType = try reader.readInt8()
            resourceName = try reader.readString(flexible)
            configs = try reader.readArray(flexible, version, elementBytesMin: flexible ? 4 : 5)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            writer.write(resourceType)
            try writer.write(resourceName, flexible)
            try writer.write(configs, flexible, version)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct AlterableConfig: WireStruct {
        public var name: String = ""
        public var configOperation: Int8 = 0
        public var value: String? = ""

        public init() {}

        public init(
            name: String = "",
            configOperation: Int8 = 0,
            value: String? = ""
        ) {
            self.name = name
            self.configOperation = configOperation
            self.value = value
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 1
            name = try reader.readString(flexible)
            configOperation = try reader.readInt8()
            self.value = try reader.readNullableString(flexible)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            try writer.write(name, flexible)
            writer.write(configOperation)
            try writer.writeNullable(self.value, flexible)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 44. Versions 0 to 1, flexible from 1.
public struct IncrementalAlterConfigsResponse: WireResponse {
    public static let messageName: StaticString = "IncrementalAlterConfigsResponse"
    public static let apiKey: ApiKey = .incrementalAlterConfigs
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { version >= 1 }

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
        let flexible: Bool = version >= 1
        throttleTimeMs = try reader.readInt32()
        responses = try reader.readArray(flexible, version, elementBytesMin: flexible ? 6 : 7)
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
        try writer.write(responses, flexible, version)
        if version >= 1 {
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
            let flexible: Bool = version >= 1
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            resourceType = try reader.readInt8()
            resourceName = try reader.readString(flexible)
            if version >= 1 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 1
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            writer.write(resourceType)
            try writer.write(resourceName, flexible)
            if version >= 1 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
