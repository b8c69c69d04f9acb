import KafkaWire
import NIOCore

/// One request, decoded up to its body. Answer it exactly once: `respond`, `finishWithoutResponse` or `close`.
public struct ReceivedRequest: Sendable {
    public let apiKey: ApiKey
    public let version: Int16
    public let correlationID: Int32
    public let clientID: String
    /// At the body's first byte; the bytes are a slice of what the socket read.
    public let body: ByteBuffer
    public let connection: ServerConnection
    let slot: UInt64

    /// Decodes the body. Nothing may follow it.
    public func decode<Request: WireRequest>(_: Request.Type) throws(WireError) -> Request {
        var reader = WireReader(body)
        return try Request(from: &reader, version: version)
    }

    /// Sends the response once those of all earlier requests are sent. `files[tag]` stands for the records that the message holds as
    /// `.external(byteCount:, tag:)`; its slices must add up to that count.
    public func respond(_ response: some WireMessage, files: [[FileSlice]] = []) {
        do {
            connection.complete(slot, with: try frame(response, files: files))
        } catch {
            connection.close(.failed("a response to \(apiKey) v\(version) can't be encoded: \(error)"))
        }
    }

    /// For a Produce with acks=0: the client expects no answer, and gets none.
    public func finishWithoutResponse() { connection.complete(slot, with: nil) }

    /// Ends the connection: the request can't be understood, or may not be answered.
    public func close(_ reason: CloseReason) { connection.close(reason) }

    private func frame(_ response: some WireMessage, files: [[FileSlice]]) throws(WireError) -> ResponseFrame {
        var writer = WireWriter(capacity: 512)
        writer.buffer.writeInteger(Int32(0))
        writer.buffer.writeInteger(correlationID)
        if apiKey.responseHeaderVersion(for: version) > 0 { writer.buffer.writeInteger(UInt8(0)) }
        try response.encode(into: &writer, version: version)
        var buffer = writer.buffer
        let externals = writer.externals
        let externalBytes = externals.reduce(0) { $0 + $1.byteCount }
        buffer.setInteger(Int32(buffer.readableBytes - 4 + externalBytes), at: buffer.readerIndex)
        if externals.isEmpty { return .bytes(buffer) }
        var parts: [ResponsePart] = []
        parts.reserveCapacity(2 * externals.count + 1)
        var position = buffer.readerIndex
        for external in externals {
            let end = external.position
            if end > position { parts.append(.bytes(buffer.getSlice(at: position, length: end - position)!)) }
            position = end
            let slices = files[external.tag]
            precondition(
                slices.reduce(0) { $0 + $1.byteCount } == external.byteCount,
                "the file slices of a response don't add up to what it announces")
            for slice in slices where slice.byteCount > 0 { parts.append(.file(slice)) }
        }
        if buffer.writerIndex > position {
            parts.append(.bytes(buffer.getSlice(at: position, length: buffer.writerIndex - position)!))
        }
        return .parts(parts)
    }
}
