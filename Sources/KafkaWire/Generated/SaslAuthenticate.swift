// swift-format-ignore-file
// Generated from Schemas/apis/SaslAuthenticate.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 36. Versions 0 to 2, flexible from 2.
public struct SaslAuthenticateRequest: WireRequest {
    public typealias Response = SaslAuthenticateResponse
    public static let messageName: StaticString = "SaslAuthenticateRequest"
    public static let apiKey: ApiKey = .saslAuthenticate
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var authBytes: ByteBuffer = ByteBuffer()

    public init() {}

    public init(
        authBytes: ByteBuffer = ByteBuffer()
    ) {
        self.authBytes = authBytes
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        authBytes = try reader.readBytes(flexible)
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        try writer.write(authBytes, flexible)
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }
}

/// Response 36. Versions 0 to 2, flexible from 2.
public struct SaslAuthenticateResponse: WireResponse {
    public static let messageName: StaticString = "SaslAuthenticateResponse"
    public static let apiKey: ApiKey = .saslAuthenticate
    public static let versions: ClosedRange<Int16> = 0...2
    public static func isFlexible(_ version: Int16) -> Bool { version >= 2 }

    public var errorCode: ErrorCode = ErrorCode.none
    public var errorMessage: String? = ""
    public var authBytes: ByteBuffer = ByteBuffer()
    /// Versions from 1, dropped in others.
    public var sessionLifetimeMs: Int64 = 0

    public init() {}

    public init(
        errorCode: ErrorCode = ErrorCode.none,
        errorMessage: String? = "",
        authBytes: ByteBuffer = ByteBuffer(),
        sessionLifetimeMs: Int64 = 0
    ) {
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.authBytes = authBytes
        self.sessionLifetimeMs = sessionLifetimeMs
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 2
        errorCode = try reader.readErrorCode()
        errorMessage = try reader.readNullableString(flexible)
        authBytes = try reader.readBytes(flexible)
        if version >= 1 {
            sessionLifetimeMs = try reader.readInt64()
        }
        if version >= 2 {
            try reader.skipTaggedFields()
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 2
        writer.write(errorCode)
        try writer.writeNullable(errorMessage, flexible)
        try writer.write(authBytes, flexible)
        if version >= 1 {
            writer.write(sessionLifetimeMs)
        }
        if version >= 2 {
            writer.writeUnsignedVarint(0)
        }
    }
}
