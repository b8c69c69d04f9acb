// swift-format-ignore-file
// Generated from Schemas/records/EndTxnMarker.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Version 0, none flexible.
public struct EndTxnMarker: WireMessage {
    public static let messageName: StaticString = "EndTxnMarker"
    public static let versions: ClosedRange<Int16> = 0...0
    public static func isFlexible(_ version: Int16) -> Bool { false }

    public var coordinatorEpoch: Int32 = 0

    public init() {}

    public init(
        coordinatorEpoch: Int32 = 0
    ) {
        self.coordinatorEpoch = coordinatorEpoch
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        coordinatorEpoch = try reader.readInt32()
        if false {
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        writer.write(coordinatorEpoch)
        if false {
        }
    }
}
