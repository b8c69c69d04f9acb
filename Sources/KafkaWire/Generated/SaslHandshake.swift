// swift-format-ignore-file
// Generated from Schemas/apis/SaslHandshake.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 17. Versions 0 to 1, none flexible.
public struct SaslHandshakeRequest: WireRequest {
    public typealias Response = SaslHandshakeResponse
    public static let messageName: StaticString = "SaslHandshakeRequest"
    public static let apiKey: ApiKey = .saslHandshake
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var mechanism: String = ""

    public init() {}

    public init(
        mechanism: String = ""
    ) {
        self.mechanism = mechanism
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        mechanism = try reader.readString(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        try writer.write(mechanism, false)
        if false {
        }
    }
}

/// Response 17. Versions 0 to 1, none flexible.
public struct SaslHandshakeResponse: WireResponse {
    public static let messageName: StaticString = "SaslHandshakeResponse"
    public static let apiKey: ApiKey = .saslHandshake
    public static let versions: ClosedRange<Int16> = 0...1
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var errorCode: ErrorCode = ErrorCode.none
    public var mechanisms: [String] = []

    public init() {}

    public init(
        errorCode: ErrorCode = ErrorCode.none,
        mechanisms: [String] = []
    ) {
        self.errorCode = errorCode
        self.mechanisms = mechanisms
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        errorCode = try reader.readErrorCode()
        mechanisms = try reader.readArray(false)
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(errorCode)
        try writer.write(mechanisms, false)
        if false {
        }
    }
}
