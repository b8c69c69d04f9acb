// swift-format-ignore-file
// Generated from Schemas/apis/DescribeAcls.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 29. Versions 1 to 3, flexible from 2.
public struct DescribeAclsRequest: WireRequest {
    public typealias Response = DescribeAclsResponse
    public static let messageName: StaticString = "DescribeAclsRequest"
    public static let apiKey: ApiKey = .describeAcls
    public static let versions: ClosedRange<Int16> = 1...3
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var resourceTypeFilter: Int8 = 0
    public var resourceNameFilter: String? = ""
    public var patternTypeFilter: Int8 = 3
    public var principalFilter: String? = ""
    public var hostFilter: String? = ""
    public var operation: Int8 = 0
    public var permissionType: Int8 = 0

    public init() {}

    public init(
        resourceTypeFilter: Int8 = 0,
        resourceNameFilter: String? = "",
        patternTypeFilter: Int8 = 3,
        principalFilter: String? = "",
        hostFilter: String? = "",
        operation: Int8 = 0,
        permissionType: Int8 = 0
    ) {
        self.resourceTypeFilter = resourceTypeFilter
        self.resourceNameFilter = resourceNameFilter
        self.patternTypeFilter = patternTypeFilter
        self.principalFilter = principalFilter
        self.hostFilter = hostFilter
        self.operation = operation
        self.permissionType = permissionType
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        resourceTypeFilter = try reader.readInt8()
        resourceNameFilter = try reader.readNullableString(flexible)
        patternTypeFilter = try reader.readInt8()
        principalFilter = try reader.readNullableString(flexible)
        hostFilter = try reader.readNullableString(flexible)
        operation = try reader.readInt8()
        permissionType = try reader.readInt8()
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        writer.write(resourceTypeFilter)
        try writer.writeNullable(resourceNameFilter, flexible)
        writer.write(patternTypeFilter)
        try writer.writeNullable(principalFilter, flexible)
        try writer.writeNullable(hostFilter, flexible)
        writer.write(operation)
        writer.write(permissionType)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 29. Versions 1 to 3, flexible from 2.
public struct DescribeAclsResponse: WireResponse {
    public static let messageName: StaticString = "DescribeAclsResponse"
    public static let apiKey: ApiKey = .describeAcls
    public static let versions: ClosedRange<Int16> = 1...3
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var errorMessage: String? = ""
    public var resources: [DescribeAclsResource] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        errorMessage: String? = "",
        resources: [DescribeAclsResource] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.resources = resources
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        errorMessage = try reader.readNullableString(flexible)
        resources = try reader.readArray(flexible, version, elementBytesMin: flexible ? 5 : 8)
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
        writer.write(errorCode)
        try writer.writeNullable(errorMessage, flexible)
        try writer.write(resources, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DescribeAclsResource: WireStruct {
        public var resourceType: Int8 = 0
        public var resourceName: String = ""
        public var patternType: Int8 = 3
        public var acls: [AclDescription] = []

        public init() {}

        public init(
            resourceType: Int8 = 0,
            resourceName: String = "",
            patternType: Int8 = 3,
            acls: [AclDescription] = []
        ) {
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.patternType = patternType
            self.acls = acls
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            resourceType = try reader.readInt8()
            resourceName = try reader.readString(flexible)
            patternType = try reader.readInt8()
            acls = try reader.readArray(flexible, version, elementBytesMin: flexible ? 5 : 6)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            writer.write(resourceType)
            try writer.write(resourceName, flexible)
            writer.write(patternType)
            try writer.write(acls, flexible, version)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct AclDescription: WireStruct {
        public var principal: String = ""
        public var host: String = ""
        public var operation: Int8 = 0
        public var permissionType: Int8 = 0

        public init() {}

        public init(
            principal: String = "",
            host: String = "",
            operation: Int8 = 0,
            permissionType: Int8 = 0
        ) {
            self.principal = principal
            self.host = host
            self.operation = operation
            self.permissionType = permissionType
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
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
