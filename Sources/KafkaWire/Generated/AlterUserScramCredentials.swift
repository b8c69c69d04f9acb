// swift-format-ignore-file
// Generated from Schemas/apis/AlterUserScramCredentials.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 51. Version 0, flexible.
public struct AlterUserScramCredentialsRequest: WireRequest {
    public typealias Response = AlterUserScramCredentialsResponse
    public static let messageName: StaticString = "AlterUserScramCredentialsRequest"
    public static let apiKey: ApiKey = .alterUserScramCredentials
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var deletions: [ScramCredentialDeletion] = []
    public var upsertions: [ScramCredentialUpsertion] = []

    public init() {}

    public init(
        deletions: [ScramCredentialDeletion] = [],
        upsertions: [ScramCredentialUpsertion] = []
    ) {
        self.deletions = deletions
        self.upsertions = upsertions
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        deletions = try reader.readArray(true, version, elementBytesMin: 3)
        upsertions = try reader.readArray(true, version, elementBytesMin: 9)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(deletions, true, version)
        try writer.write(upsertions, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct ScramCredentialDeletion: WireStruct {
        public var name: String = ""
        public var mechanism: Int8 = 0

        public init() {}

        public init(
            name: String = "",
            mechanism: Int8 = 0
        ) {
            self.name = name
            self.mechanism = mechanism
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            mechanism = try reader.readInt8()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            writer.write(mechanism)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct ScramCredentialUpsertion: WireStruct {
        public var name: String = ""
        public var mechanism: Int8 = 0
        public var iterations: Int32 = 0
        public var salt: ByteBuffer = ByteBuffer()
        public var saltedPassword: ByteBuffer = ByteBuffer()

        public init() {}

        public init(
            name: String = "",
            mechanism: Int8 = 0,
            iterations: Int32 = 0,
            salt: ByteBuffer = ByteBuffer(),
            saltedPassword: ByteBuffer = ByteBuffer()
        ) {
            self.name = name
            self.mechanism = mechanism
            self.iterations = iterations
            self.salt = salt
            self.saltedPassword = saltedPassword
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            name = try reader.readString(true)
            mechanism = try reader.readInt8()
            iterations = try reader.readInt32()
            salt = try reader.readBytes(true)
            saltedPassword = try reader.readBytes(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(name, true)
            writer.write(mechanism)
            writer.write(iterations)
            try writer.write(salt, true)
            try writer.write(saltedPassword, true)
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 51. Version 0, flexible.
public struct AlterUserScramCredentialsResponse: WireResponse {
    public static let messageName: StaticString = "AlterUserScramCredentialsResponse"
    public static let apiKey: ApiKey = .alterUserScramCredentials
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { true }

    public var throttleTimeMs: Int32 = 0
    public var results: [AlterUserScramCredentialsResult] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        results: [AlterUserScramCredentialsResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.results = results
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        throttleTimeMs = try reader.readInt32()
        results = try reader.readArray(true, version, elementBytesMin: 5)
        try reader.skipTaggedFields()
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(throttleTimeMs)
        try writer.write(results, true, version)
        writer.writeUnsignedVarint(0)
    }

    public struct AlterUserScramCredentialsResult: WireStruct {
        public var user: String = ""
        public var errorCode: ErrorCode = ErrorCode.none
        public var errorMessage: String? = ""

        public init() {}

        public init(
            user: String = "",
            errorCode: ErrorCode = ErrorCode.none,
            errorMessage: String? = ""
        ) {
            self.user = user
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            user = try reader.readString(true)
            errorCode = try reader.readErrorCode()
            errorMessage = try reader.readNullableString(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            try writer.write(user, true)
            writer.write(errorCode)
            try writer.writeNullable(errorMessage, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
