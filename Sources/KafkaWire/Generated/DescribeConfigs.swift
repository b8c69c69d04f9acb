// swift-format-ignore-file
// Generated from Schemas/apis/DescribeConfigs.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 32. Versions 1 to 4, flexible from 4.
public struct DescribeConfigsRequest: WireRequest {
    public typealias Response = DescribeConfigsResponse
    public static let messageName: StaticString = "DescribeConfigsRequest"
    public static let apiKey: ApiKey = .describeConfigs
    public static let versions: ClosedRange<Int16> = 1...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    public var resources: [DescribeConfigsResource] = []
    public var includeSynonyms: Bool = false
    /// Versions from 3.
    public var includeDocumentation: Bool = false

    public init() {}

    public init(
        resources: [DescribeConfigsResource] = [],
        includeSynonyms: Bool = false,
        includeDocumentation: Bool = false
    ) {
        self.resources = resources
        self.includeSynonyms = includeSynonyms
        self.includeDocumentation = includeDocumentation
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        resources = try reader.readArray(flexible, version, elementBytesMin: flexible ? 4 : 7)
        includeSynonyms = try reader.readBool()
        if version >= 3 {
            includeDocumentation = try reader.readBool()
        }
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        try writer.write(resources, flexible, version)
        writer.write(includeSynonyms)
        if version >= 3 {
            writer.write(includeDocumentation)
        } else if includeDocumentation { throw WireError.unsupportedField("DescribeConfigsRequest.includeDocumentation", version) }
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DescribeConfigsResource: WireStruct {
        public var resourceType: Int8 = 0
        public var resourceName: String = ""
        public var configurationKeys: [String]? = []

        public init() {}

        public init(
            resourceType: Int8 = 0,
            resourceName: String = "",
            configurationKeys: [String]? = []
        ) {
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.configurationKeys = configurationKeys
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            resourceType = try reader.readInt8()
            resourceName = try reader.readString(flexible)
            configurationKeys = try reader.readNullableArray(flexible)
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            writer.write(resourceType)
            try writer.write(resourceName, flexible)
            try writer.writeNullable(configurationKeys, flexible)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 32. Versions 1 to 4, flexible from 4.
public struct DescribeConfigsResponse: WireResponse {
    public static let messageName: StaticString = "DescribeConfigsResponse"
    public static let apiKey: ApiKey = .describeConfigs
    public static let versions: ClosedRange<Int16> = 1...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 4 }

    public var throttleTimeMs: Int32 = 0
    public var results: [DescribeConfigsResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        results: [DescribeConfigsResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.results = results
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 4
        throttleTimeMs = try reader.readInt32()
        results = try reader.readArray(flexible, version, elementBytesMin: flexible ? 7 : 11)
        if version >= 4 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 4
        writer.write(throttleTimeMs)
        try writer.write(results, flexible, version)
        if version >= 4 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DescribeConfigsResult: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""
        public var resourceType: Int8 = 0
        public var resourceName: String = ""
        public var configs: [DescribeConfigsResourceResult] = []

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = "",
            resourceType: Int8 = 0,
            resourceName: String = "",
            configs: [DescribeConfigsResourceResult] = []
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.configs = configs
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            resourceType = try reader.readInt8()
            resourceName = try reader.readString(flexible)
            configs = try reader.readArray(flexible, version, elementBytesMin: flexible ? 9 : 11)
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            writer.write(resourceType)
            try writer.write(resourceName, flexible)
            try writer.write(configs, flexible, version)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct DescribeConfigsResourceResult: WireStruct {
        public var name: String = ""
        public var value: String? = ""
        public var readOnly: Bool = false
        public var configSource: Int8 = -1
        public var isSensitive: Bool = false
        public var synonyms: [DescribeConfigsSynonym] = []
        /// Versions from 3, dropped in others.
        public var configType: Int8 = 0
        /// Versions from 3, dropped in others.
        public var documentation: String? = ""

        public init() {}

        public init(
            name: String = "",
            value: String? = "",
            readOnly: Bool = false,
            configSource: Int8 = -1,
            isSensitive: Bool = false,
            synonyms: [DescribeConfigsSynonym] = [],
            configType: Int8 = 0,
            documentation: String? = ""
        ) {
            self.name = name
            self.value = value
            self.readOnly = readOnly
            self.configSource = configSource
            self.isSensitive = isSensitive
            self.synonyms = synonyms
            self.configType = configType
            self.documentation = documentation
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            name = try reader.readString(flexible)
            self.value = try reader.readNullableString(flexible)
            readOnly = try reader.readBool()
            configSource = try reader.readInt8()
            isSensitive = try reader.readBool()
            synonyms = try reader.readArray(flexible, version, elementBytesMin: flexible ? 4 : 5)
            if version >= 3 {
                configType = try reader.readInt8()
            }
            if version >= 3 {
                documentation = try reader.readNullableString(flexible)
            }
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            try writer.write(name, flexible)
            try writer.writeNullable(self.value, flexible)
            writer.write(readOnly)
            writer.write(configSource)
            writer.write(isSensitive)
            try writer.write(synonyms, flexible, version)
            if version >= 3 {
                writer.write(configType)
            }
            if version >= 3 {
                try writer.writeNullable(documentation, flexible)
            }
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct DescribeConfigsSynonym: WireStruct {
        public var name: String = ""
        public var value: String? = ""
        public var source: Int8 = 0

        public init() {}

        public init(
            name: String = "",
            value: String? = "",
            source: Int8 = 0
        ) {
            self.name = name
            self.value = value
            self.source = source
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 4
            name = try reader.readString(flexible)
            self.value = try reader.readNullableString(flexible)
            source = try reader.readInt8()
            if version >= 4 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 4
            try writer.write(name, flexible)
            try writer.writeNullable(self.value, flexible)
            writer.write(source)
            if version >= 4 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
