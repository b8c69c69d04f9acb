// swift-format-ignore-file
// Generated from Schemas/apis/CreateAcls.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 30. Versions 1 to 3, flexible from 2.
public struct CreateAclsRequest: WireRequest {
    public typealias Response = CreateAclsResponse
    public static let messageName: StaticString = "CreateAclsRequest"
    public static let apiKey: ApiKey = .createAcls
    public static let versions: ClosedRange<Int16> = 1...3
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var creations: [AclCreation] = []

    public init() {}

    public init(
        creations: [AclCreation] = []
    ) {
        self.creations = creations
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        creations = try reader.readArray(flexible, version, elementBytesMin: flexible ? 8 : 10)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        try writer.write(creations, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AclCreation: WireStruct {
        public var resourceType: Int8 = 0
        public var resourceName: String = ""
        public var resourcePatternType: Int8 = 3
        public var principal: String = ""
        public var host: String = ""
        public var operation: Int8 = 0
        public var permissionType: Int8 = 0

        public init() {}

        public init(
            resourceType: Int8 = 0,
            resourceName: String = "",
            resourcePatternType: Int8 = 3,
            principal: String = "",
            host: String = "",
            operation: Int8 = 0,
            permissionType: Int8 = 0
        ) {
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.resourcePatternType = resourcePatternType
            self.principal = principal
            self.host = host
            self.operation = operation
            self.permissionType = permissionType
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            resourceType = try reader.readInt8()
            resourceName = try reader.readString(flexible)
            resourcePatternType = try reader.readInt8()
            principal = try reader.readString(flexible)
            host = try reader.readString(flexible)
            operation = try reader.readInt8()
            permissionType = try reader.readInt8()
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            writer.write(resourceType)
            try writer.write(resourceName, flexible)
            writer.write(resourcePatternType)
            try writer.write(principal, flexible)
            try writer.write(host, flexible)
            writer.write(operation)
            writer.write(permissionType)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 30. Versions 1 to 3, flexible from 2.
public struct CreateAclsResponse: WireResponse {
    public static let messageName: StaticString = "CreateAclsResponse"
    public static let apiKey: ApiKey = .createAcls
    public static let versions: ClosedRange<Int16> = 1...3
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    public var results: [AclCreationResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        results: [AclCreationResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.results = results
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        throttleTimeMs = try reader.readInt32()
        results = try reader.readArray(flexible, version, elementBytesMin: 4)
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
        try writer.write(results, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AclCreationResult: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = ""
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}
