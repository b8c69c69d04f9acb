// swift-format-ignore-file
// Generated from Schemas/apis/FindCoordinator.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 10. Versions 0 to 6, flexible from 3.
public struct FindCoordinatorRequest: WireRequest {
    public typealias Response = FindCoordinatorResponse
    public static let messageName: StaticString = "FindCoordinatorRequest"
    public static let apiKey: ApiKey = .findCoordinator
    public static let versions: ClosedRange<Int16> = 0...6
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    /// Versions 0 to 3.
    public var key: String = ""
    /// Versions from 1.
    public var keyType: Int8 = 0
    /// Versions from 4.
    public var coordinatorKeys: [String] = []

    public init() {}

    public init(
        key: String = "",
        keyType: Int8 = 0,
        coordinatorKeys: [String] = []
    ) {
        self.key = key
        self.keyType = keyType
        self.coordinatorKeys = coordinatorKeys
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 3
        if version <= 3 {
            key = try reader.readString(flexible)
        }
        if version >= 1 {
            keyType = try reader.readInt8()
        }
        if version >= 4 {
            coordinatorKeys = try reader.readArray(true)
        }
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 3
        if version <= 3 {
            try writer.write(key, flexible)
        } else if !key.isEmpty { throw WireError.unsupportedField("FindCoordinatorRequest.key", version) }
        if version >= 1 {
            writer.write(keyType)
        } else if keyType != 0 { throw WireError.unsupportedField("FindCoordinatorRequest.keyType", version) }
        if version >= 4 {
            try writer.write(coordinatorKeys, true)
        } else if !coordinatorKeys.isEmpty { throw WireError.unsupportedField("FindCoordinatorRequest.coordinatorKeys", version) }
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 10. Versions 0 to 6, flexible from 3.
public struct FindCoordinatorResponse: WireResponse {
    public static let messageName: StaticString = "FindCoordinatorResponse"
    public static let apiKey: ApiKey = .findCoordinator
    public static let versions: ClosedRange<Int16> = 0...6
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    /// Versions from 1, dropped in others.
    public var throttleTimeMs: Int32 = 0
    /// Versions 0 to 3.
    public var errorCode: ErrorCode = ErrorCode.none
    /// Versions 1 to 3, dropped in others.
    public var errorMessage: String? = ""
    /// Versions 0 to 3.
    public var nodeId: Int32 = 0
    /// Versions 0 to 3.
    public var host: String = ""
    /// Versions 0 to 3.
    public var port: Int32 = 0
    /// Versions from 4.
    public var coordinators: [Coordinator] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        errorMessage: String? = "",
        nodeId: Int32 = 0,
        host: String = "",
        port: Int32 = 0,
        coordinators: [Coordinator] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.nodeId = nodeId
        self.host = host
        self.port = port
        self.coordinators = coordinators
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 3
        if version >= 1 {
            throttleTimeMs = try reader.readInt32()
        }
        if version <= 3 {
            errorCode = try reader.readErrorCode()
        }
        if version >= 1 && version <= 3 {
            errorMessage = try reader.readNullableString(flexible)
        }
        if version <= 3 {
            nodeId = try reader.readInt32()
        }
        if version <= 3 {
            host = try reader.readString(flexible)
        }
        if version <= 3 {
            port = try reader.readInt32()
        }
        if version >= 4 {
            coordinators = try reader.readArray(true, version, elementBytesMin: 14)
        }
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 3
        if version >= 1 {
            writer.write(throttleTimeMs)
        }
        if version <= 3 {
            writer.write(errorCode)
        } else if errorCode != ErrorCode.none { throw WireError.unsupportedField("FindCoordinatorResponse.errorCode", version) }
        if version >= 1 && version <= 3 {
            try writer.writeNullable(errorMessage, flexible)
        }
        if version <= 3 {
            writer.write(nodeId)
        } else if nodeId != 0 { throw WireError.unsupportedField("FindCoordinatorResponse.nodeId", version) }
        if version <= 3 {
            try writer.write(host, flexible)
        } else if !host.isEmpty { throw WireError.unsupportedField("FindCoordinatorResponse.host", version) }
        if version <= 3 {
            writer.write(port)
        } else if port != 0 { throw WireError.unsupportedField("FindCoordinatorResponse.port", version) }
        if version >= 4 {
            try writer.write(coordinators, true, version)
        } else if !coordinators.isEmpty { throw WireError.unsupportedField("FindCoordinatorResponse.coordinators", version) }
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }

    public struct Coordinator: WireStruct {
        public var key: String = ""
        public var nodeId: Int32 = 0
        public var host: String = ""
        public var port: Int32 = 0
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""

        public init() {}

        public init(
            key: String = "",
            nodeId: Int32 = 0,
            host: String = "",
            port: Int32 = 0,
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = ""
        ) {
            self.key = key
            self.nodeId = nodeId
            self.host = host
            self.port = port
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            key = try reader.readString(true)
            nodeId = try reader.readInt32()
            host = try reader.readString(true)
            port = try reader.readInt32()
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(key, true)
            writer.write(nodeId)
            try writer.write(host, true)
            writer.write(port)
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
