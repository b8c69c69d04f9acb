// swift-format-ignore-file
// Generated from Schemas/apis/ListConfigResources.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 74. Versions 0 to 1, flexible.
public struct ListConfigResourcesRequest: WireRequest {
    public typealias Response = ListConfigResourcesResponse
    public static let messageName: StaticString = "ListConfigResourcesRequest"
    public static let apiKey: ApiKey = .listConfigResources
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    /// Versions from 1.
    public var resourceTypes: [Int8] = []

    public init() {}

    public init(
        resourceTypes: [Int8] = []
    ) {
        self.resourceTypes = resourceTypes
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        if version >= 1 {
            resourceTypes = try reader.readArray(true)
        }
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        if version >= 1 {
            try writer.write(resourceTypes, true)
        } else if !resourceTypes.isEmpty { throw WireError.unsupportedField("ListConfigResourcesRequest.resourceTypes", version) }
        writer.writeUnsignedVarint(0)
    }
}

/// Response 74. Versions 0 to 1, flexible.
public struct ListConfigResourcesResponse: WireResponse {
    public static let messageName: StaticString = "ListConfigResourcesResponse"
    public static let apiKey: ApiKey = .listConfigResources
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var configResources: [ConfigResource] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        configResources: [ConfigResource] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.configResources = configResources
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        configResources = try reader.readArray(true, version, elementBytesMin: 2)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        writer.write(errorCode)
        try writer.write(configResources, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct ConfigResource: WireStruct {
        public var resourceName: String = ""
        /// Versions from 1, dropped in others.
        public var resourceType: Int8 = 16

        public init() {}

        public init(
            resourceName: String = "",
            resourceType: Int8 = 16
        ) {
            self.resourceName = resourceName
            self.resourceType = resourceType
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            resourceName = try reader.readString(true)
            if version >= 1 {
                resourceType = try reader.readInt8()
            }
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(resourceName, true)
            if version >= 1 {
                writer.write(resourceType)
            }
            writer.writeUnsignedVarint(0)
        }
    }
}
