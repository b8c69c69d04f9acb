// swift-format-ignore-file
// Generated from Schemas/apis/DescribeUserScramCredentials.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 50. Version 0, flexible.
public struct DescribeUserScramCredentialsRequest: WireRequest {
    public typealias Response = DescribeUserScramCredentialsResponse
    public static let messageName: StaticString = "DescribeUserScramCredentialsRequest"
    public static let apiKey: ApiKey = .describeUserScramCredentials
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var users: [UserName]? = []

    public init() {}

    public init(
        users: [UserName]? = []
    ) {
        self.users = users
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        users = try reader.readNullableArray(true, version, elementBytesMin: 2)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.writeNullable(users, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct UserName: WireStruct {
        public var name: String = ""

        public init() {}

        public init(
            name: String = ""
        ) {
            self.name = name
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 50. Version 0, flexible.
public struct DescribeUserScramCredentialsResponse: WireResponse {
    public static let messageName: StaticString = "DescribeUserScramCredentialsResponse"
    public static let apiKey: ApiKey = .describeUserScramCredentials
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var errorCode: ErrorCode = ErrorCode.none
    public var errorMessage: String? = ""
    public var results: [DescribeUserScramCredentialsResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        errorMessage: String? = "",
        results: [DescribeUserScramCredentialsResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.results = results
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        errorCode = try reader.readErrorCode()
        errorMessage = try reader.readNullableString(true)
        results = try reader.readArray(true, version, elementBytesMin: 6)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        writer.write(errorCode)
        try writer.writeNullable(errorMessage, true)
        try writer.write(results, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct DescribeUserScramCredentialsResult: WireStruct {
        public var user: String = ""
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""
        public var credentialInfos: [CredentialInfo] = []

        public init() {}

        public init(
            user: String = "",
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = "",
            credentialInfos: [CredentialInfo] = []
        ) {
            self.user = user
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.credentialInfos = credentialInfos
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            user = try reader.readString(true)
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(true)
            credentialInfos = try reader.readArray(true, version, elementBytesMin: 6)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(user, true)
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, true)
            try writer.write(credentialInfos, true, version)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct CredentialInfo: WireStruct {
        public var mechanism: Int8 = 0
        public var iterations: Int32 = 0

        public init() {}

        public init(
            mechanism: Int8 = 0,
            iterations: Int32 = 0
        ) {
            self.mechanism = mechanism
            self.iterations = iterations
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            mechanism = try reader.readInt8()
            iterations = try reader.readInt32()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(mechanism)
            writer.write(iterations)
            writer.writeUnsignedVarint(0)
        }
    }
}
