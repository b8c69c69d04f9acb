// swift-format-ignore-file
// Generated from Schemas/apis/DeleteAcls.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 31. Versions 1 to 3, flexible from 2.
public struct DeleteAclsRequest: WireRequest {
    public typealias Response = DeleteAclsResponse
    public static let messageName: StaticString = "DeleteAclsRequest"
    public static let apiKey: ApiKey = .deleteAcls
    public static let versions: ClosedRange<Int16> = 1...3
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var filters: [DeleteAclsFilter] = []

    public init() {}

    public init(
        filters: [DeleteAclsFilter] = []
    ) {
        self.filters = filters
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        filters = try reader.readArray(flexible, version, elementBytesMin: flexible ? 8 : 10)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        try writer.write(filters, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DeleteAclsFilter: WireStruct {
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
}

/// Response 31. Versions 1 to 3, flexible from 2.
public struct DeleteAclsResponse: WireResponse {
    public static let messageName: StaticString = "DeleteAclsResponse"
    public static let apiKey: ApiKey = .deleteAcls
    public static let versions: ClosedRange<Int16> = 1...3
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var throttleTimeMs: Int32 = 0
    public var filterResults: [DeleteAclsFilterResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        filterResults: [DeleteAclsFilterResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.filterResults = filterResults
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        throttleTimeMs = try reader.readInt32()
        filterResults = try reader.readArray(flexible, version, elementBytesMin: flexible ? 5 : 8)
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
        try writer.write(filterResults, flexible, version)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct DeleteAclsFilterResult: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""
        public var matchingAcls: [DeleteAclsMatchingAcl] = []

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = "",
            matchingAcls: [DeleteAclsMatchingAcl] = []
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.matchingAcls = matchingAcls
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            matchingAcls = try reader.readArray(flexible, version, elementBytesMin: flexible ? 11 : 14)
            if version >= 2 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 2
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            try writer.write(matchingAcls, flexible, version)
            if version >= 2 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct DeleteAclsMatchingAcl: WireStruct {
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""
        public var resourceType: Int8 = 0
        public var resourceName: String = ""
        public var patternType: Int8 = 3
        public var principal: String = ""
        public var host: String = ""
        public var operation: Int8 = 0
        public var permissionType: Int8 = 0

        public init() {}

        public init(
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = "",
            resourceType: Int8 = 0,
            resourceName: String = "",
            patternType: Int8 = 3,
            principal: String = "",
            host: String = "",
            operation: Int8 = 0,
            permissionType: Int8 = 0
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.patternType = patternType
            self.principal = principal
            self.host = host
            self.operation = operation
            self.permissionType = permissionType
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 2
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(flexible)
            resourceType = try reader.readInt8()
            resourceName = try reader.readString(flexible)
            patternType = try reader.readInt8()
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
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, flexible)
            writer.write(resourceType)
            try writer.write(resourceName, flexible)
            writer.write(patternType)
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
