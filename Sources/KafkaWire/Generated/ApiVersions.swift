// swift-format-ignore-file
// Generated from Schemas/apis/ApiVersions.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 18. Versions 0 to 4, flexible from 3.
public struct ApiVersionsRequest: WireRequest {
    public typealias Response = ApiVersionsResponse
    public static let messageName: StaticString = "ApiVersionsRequest"
    public static let apiKey: ApiKey = .apiVersions
    public static let versions: ClosedRange<Int16> = 0...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    /// Versions from 3, dropped in others.
    public var clientSoftwareName: String = ""
    /// Versions from 3, dropped in others.
    public var clientSoftwareVersion: String = ""

    public init() {}

    public init(
        clientSoftwareName: String = "",
        clientSoftwareVersion: String = ""
    ) {
        self.clientSoftwareName = clientSoftwareName
        self.clientSoftwareVersion = clientSoftwareVersion
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        if version >= 3 {
            clientSoftwareName = try reader.readString(true)
        }
        if version >= 3 {
            clientSoftwareVersion = try reader.readString(true)
        }
        if version >= 3 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        if version >= 3 {
            try writer.write(clientSoftwareName, true)
        }
        if version >= 3 {
            try writer.write(clientSoftwareVersion, true)
        }
        if version >= 3 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 18. Versions 0 to 4, flexible from 3.
public struct ApiVersionsResponse: WireResponse {
    public static let messageName: StaticString = "ApiVersionsResponse"
    public static let apiKey: ApiKey = .apiVersions
    public static let versions: ClosedRange<Int16> = 0...4
    public static func isFlexible(_ version: Int16) -> Bool { version >= 3 }

    public var errorCode: ErrorCode = ErrorCode.none
    public var apiKeys: [ApiVersion] = []
    /// Versions from 1, dropped in others.
    public var throttleTimeMs: Int32 = 0
    /// Versions from 3, dropped in others.
    public var supportedFeatures: [SupportedFeatureKey] = []
    /// Versions from 3, dropped in others.
    public var finalizedFeaturesEpoch: Int64 = -1
    /// Versions from 3, dropped in others.
    public var finalizedFeatures: [FinalizedFeatureKey] = []
    /// Versions from 3, dropped in others.
    public var zkMigrationReady: Bool = false

    public init() {}

    public init(
        errorCode: ErrorCode = ErrorCode.none,
        apiKeys: [ApiVersion] = [],
        throttleTimeMs: Int32 = 0,
        supportedFeatures: [SupportedFeatureKey] = [],
        finalizedFeaturesEpoch: Int64 = -1,
        finalizedFeatures: [FinalizedFeatureKey] = [],
        zkMigrationReady: Bool = false
    ) {
        self.errorCode = errorCode
        self.apiKeys = apiKeys
        self.throttleTimeMs = throttleTimeMs
        self.supportedFeatures = supportedFeatures
        self.finalizedFeaturesEpoch = finalizedFeaturesEpoch
        self.finalizedFeatures = finalizedFeatures
        self.zkMigrationReady = zkMigrationReady
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 3
        errorCode = try reader.readErrorCode()
        apiKeys = try reader.readArray(flexible, version, elementBytesMin: flexible ? 7 : 6)
        if version >= 1 {
            throttleTimeMs = try reader.readInt32()
        }
        if version >= 3 {
            let taggedCount: Int = try reader.readTaggedFieldCount()
            for _ in 0..<taggedCount {
                let tagged: WireReader.TaggedField = try reader.readTaggedField()
                switch tagged.tag {
                case 0:
                    supportedFeatures = try reader.readArray(true, version, elementBytesMin: 6)
                case 1:
                    finalizedFeaturesEpoch = try reader.readInt64()
                case 2:
                    finalizedFeatures = try reader.readArray(true, version, elementBytesMin: 6)
                case 3:
                    zkMigrationReady = try reader.readBool()
                default:
                    try reader.skip(tagged)
                }
                try reader.checkEnd(of: tagged)
            }
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 3
        writer.write(errorCode)
        try writer.write(apiKeys, flexible, version)
        if version >= 1 {
            writer.write(throttleTimeMs)
        }
        if version >= 3 {
            let hasSupportedFeatures: Bool = !supportedFeatures.isEmpty
            let hasFinalizedFeaturesEpoch: Bool = finalizedFeaturesEpoch != -1
            let hasFinalizedFeatures: Bool = !finalizedFeatures.isEmpty
            let hasZkMigrationReady: Bool = zkMigrationReady
            var taggedCount: UInt32 = 0
            if hasSupportedFeatures { taggedCount += 1 }
            if hasFinalizedFeaturesEpoch { taggedCount += 1 }
            if hasFinalizedFeatures { taggedCount += 1 }
            if hasZkMigrationReady { taggedCount += 1 }
            writer.writeUnsignedVarint(taggedCount)
            if hasSupportedFeatures {
                let start: Int = writer.beginTaggedField(0)
                try writer.write(supportedFeatures, true, version)
                try writer.endTaggedField(start)
            }
            if hasFinalizedFeaturesEpoch {
                let start: Int = writer.beginTaggedField(1)
                writer.write(finalizedFeaturesEpoch)
                try writer.endTaggedField(start)
            }
            if hasFinalizedFeatures {
                let start: Int = writer.beginTaggedField(2)
                try writer.write(finalizedFeatures, true, version)
                try writer.endTaggedField(start)
            }
            if hasZkMigrationReady {
                let start: Int = writer.beginTaggedField(3)
                writer.write(zkMigrationReady)
                try writer.endTaggedField(start)
            }
        }
    }

    public struct ApiVersion: WireStruct {
        public var apiKey: Int16 = 0
        public var minVersion: Int16 = 0
        public var maxVersion: Int16 = 0

        public init() {}

        public init(
            apiKey: Int16 = 0,
            minVersion: Int16 = 0,
            maxVersion: Int16 = 0
        ) {
            self.apiKey = apiKey
            self.minVersion = minVersion
            self.maxVersion = maxVersion
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            apiKey = try reader.readInt16()
            minVersion = try reader.readInt16()
            maxVersion = try reader.readInt16()
            if version >= 3 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(apiKey)
            writer.write(minVersion)
            writer.write(maxVersion)
            if version >= 3 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct SupportedFeatureKey: WireStruct {
        public var name: String = ""
        public var minVersion: Int16 = 0
        public var maxVersion: Int16 = 0

        public init() {}

        public init(
            name: String = "",
            minVersion: Int16 = 0,
            maxVersion: Int16 = 0
        ) {
            self.name = name
            self.minVersion = minVersion
            self.maxVersion = maxVersion
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            minVersion = try reader.readInt16()
            maxVersion = try reader.readInt16()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            writer.write(minVersion)
            writer.write(maxVersion)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct FinalizedFeatureKey: WireStruct {
        public var name: String = ""
        public var maxVersionLevel: Int16 = 0
        public var minVersionLevel: Int16 = 0

        public init() {}

        public init(
            name: String = "",
            maxVersionLevel: Int16 = 0,
            minVersionLevel: Int16 = 0
        ) {
            self.name = name
            self.maxVersionLevel = maxVersionLevel
            self.minVersionLevel = minVersionLevel
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            maxVersionLevel = try reader.readInt16()
            minVersionLevel = try reader.readInt16()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            writer.write(maxVersionLevel)
            writer.write(minVersionLevel)
            writer.writeUnsignedVarint(0)
        }
    }
}
