import NIOCore

/// A message of the Kafka protocol, or a struct inside one.
///
/// `init()` gives every field its default. Fields that a version lacks keep their default when that version is read; when it is
/// written, a field that is not ignorable and holds something else is an error, as in Kafka's own clients.
public protocol WireStruct: Sendable, Equatable {
    init()
    init(from reader: inout WireReader, version: Int16) throws(WireError)
    func encode(into writer: inout WireWriter, version: Int16) throws(WireError)
}

/// A whole message. Reading or writing one in a version outside `versions` throws `unsupportedVersion`.
public protocol WireMessage: WireStruct {
    /// The name in Kafka's documentation.
    static var messageName: StaticString { get }
    /// The versions that can be read and written.
    static var versions: ClosedRange<Int16> { get }
    /// Whether the version has compact lengths and tagged fields (KIP-482).
    static func isFlexible(_ version: Int16) -> Bool
}

/// What a client sends. After its header and these bytes a frame holds nothing more.
public protocol WireRequest: WireMessage {
    associatedtype Response: WireResponse
    static var apiKey: ApiKey { get }
}

/// What a broker answers, in the version of the request.
public protocol WireResponse: WireMessage {
    static var apiKey: ApiKey { get }
    /// How long the client is to send nothing on this connection (KIP-219). 0 in messages and versions that can't say it.
    var throttleTimeMs: Int32 { get }
}

extension WireResponse {
    public var throttleTimeMs: Int32 { 0 }
}

extension WireMessage {
    /// The message alone, in a buffer of its own.
    ///
    /// External records can't be spliced in here; write messages that have some with a `WireWriter`.
    public func encoded(version: Int16) throws(WireError) -> ByteBuffer {
        var writer = WireWriter()
        try encode(into: &writer, version: version)
        precondition(writer.externals.isEmpty, "\(Self.messageName) has external records: use a WireWriter")
        return writer.buffer
    }

    /// Reads a message that fills the buffer; bytes beyond it are ignored, as Kafka does.
    public static func decoded(_ bytes: ByteBuffer, version: Int16) throws(WireError) -> Self {
        var reader = WireReader(bytes)
        return try Self(from: &reader, version: version)
    }
}
