// swift-format-ignore-file
// Generated from Schemas/apis/DescribeCluster.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 60. Versions 0 to 2, flexible.
public struct DescribeClusterRequest: WireRequest {
    public typealias Response = DescribeClusterResponse
    public static let messageName: StaticString = "DescribeClusterRequest"
    public static let apiKey: ApiKey = .describeCluster
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var includeClusterAuthorizedOperations: Bool = false
    /// Versions from 1.
    public var endpointType: Int8 = 1
    /// Versions from 2.
    public var includeFencedBrokers: Bool = false

    public init() {}

    public init(
        includeClusterAuthorizedOperations: Bool = false,
        endpointType: Int8 = 1,
        includeFencedBrokers: Bool = false
    ) {
        self.includeClusterAuthorizedOperations = includeClusterAuthorizedOperations
        self.endpointType = endpointType
        self.includeFencedBrokers = includeFencedBrokers
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        includeClusterAuthorizedOperations = try reader.readBool()
        if version >= 1 {
            endpointType = try reader.readInt8()
        }
        if version >= 2 {
            includeFencedBrokers = try reader.readBool()
        }
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(includeClusterAuthorizedOperations)
        if version >= 1 {
            writer.write(endpointType)
        } else if endpointType != 1 { throw WireError.unsupportedField("DescribeClusterRequest.endpointType", version) }
        if version >= 2 {
            writer.write(includeFencedBrokers)
        } else if includeFencedBrokers { throw WireError.unsupportedField("DescribeClusterRequest.includeFencedBrokers", version) }
        writer.writeUnsignedVarint(0)
    }
}

/// Response 60. Versions 0 to 2, flexible.
public struct DescribeClusterResponse: WireResponse {
    public static let messageName: StaticString = "DescribeClusterResponse"
    public static let apiKey: ApiKey = .describeCluster
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var errorMessage: String? = nil
    /// Versions from 1.
    public var endpointType: Int8 = 1
    public var clusterId: String = ""
    public var controllerId: Int32 = -1
    public var brokers: [DescribeClusterBroker] = []
    public var clusterAuthorizedOperations: Int32 = -2147483648

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        errorMessage: String? = nil,
        endpointType: Int8 = 1,
        clusterId: String = "",
        controllerId: Int32 = -1,
        brokers: [DescribeClusterBroker] = [],
        clusterAuthorizedOperations: Int32 = -2147483648
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.endpointType = endpointType
        self.clusterId = clusterId
        self.controllerId = controllerId
        self.brokers = brokers
        self.clusterAuthorizedOperations = clusterAuthorizedOperations
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        errorMessage = try reader.readNullableString(true)
        if version >= 1 {
            endpointType = try reader.readInt8()
        }
        clusterId = try reader.readString(true)
        controllerId = try reader.readInt32()
        brokers = try reader.readArray(true, version, elementBytesMin: 11)
        clusterAuthorizedOperations = try reader.readInt32()
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        writer.write(errorCode)
        try writer.writeNullable(errorMessage, true)
        if version >= 1 {
            writer.write(endpointType)
        } else if endpointType != 1 { throw WireError.unsupportedField("DescribeClusterResponse.endpointType", version) }
        try writer.write(clusterId, true)
        writer.write(controllerId)
        try writer.write(brokers, true, version)
        writer.write(clusterAuthorizedOperations)
        writer.writeUnsignedVarint(0)
    }

    public struct DescribeClusterBroker: WireStruct {
        public var brokerId: Int32 = 0
        public var host: String = ""
        public var port: Int32 = 0
        public var rack: String? = nil
        /// Versions from 2.
        public var isFenced: Bool = false

        public init() {}

        public init(
            brokerId: Int32 = 0,
            host: String = "",
            port: Int32 = 0,
            rack: String? = nil,
            isFenced: Bool = false
        ) {
            self.brokerId = brokerId
            self.host = host
            self.port = port
            self.rack = rack
            self.isFenced = isFenced
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            brokerId = try reader.readInt32()
            host = try reader.readString(true)
            port = try reader.readInt32()
            rack = try reader.readNullableString(true)
            if version >= 2 {
                isFenced = try reader.readBool()
            }
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(brokerId)
            try writer.write(host, true)
            writer.write(port)
            try writer.writeNullable(rack, true)
            if version >= 2 {
                writer.write(isFenced)
            } else if isFenced { throw WireError.unsupportedField("DescribeClusterResponse.DescribeClusterBroker.isFenced", version) }
            writer.writeUnsignedVarint(0)
        }
    }
}
