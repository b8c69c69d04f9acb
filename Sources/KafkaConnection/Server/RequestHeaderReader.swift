import KafkaWire
import NIOCore

/// Reads the headers of one connection's requests.
///
///     v1: | api key i16 | version i16 | correlation id i32 | client id nullable string |
///     v2: the same, then tagged fields
struct RequestHeaderReader {
    enum Outcome {
        case request(ApiKey, version: Int16, correlationID: Int32)
        /// A version of a served API that is not served.
        case unservedVersion(ApiKey, version: Int16, served: ClosedRange<Int16>, correlationID: Int32)
        /// Nothing that the client would understand can be answered; the text says why.
        case unreadable(String)
    }

    /// Of the last request; it is the same in every request of a connection, so its string is made once.
    private(set) var clientID = ""
    private var clientIDBytes = ByteBuffer()

    /// Moves `body` from the frame's first byte to the first byte behind the header.
    mutating func read(_ body: inout ByteBuffer, versions: ServedVersions) -> Outcome {
        let bytes = body.readableBytes
        guard let (key, version, correlationID) = body.readMultipleIntegers(as: (Int16, Int16, Int32).self) else {
            return .unreadable("a request of \(bytes) bytes has no whole header")
        }
        guard let apiKey = ApiKey(rawValue: key), let served = versions.served(apiKey) else {
            return .unreadable("a request for API key \(key), which is not served")
        }
        guard served.contains(version) else {
            return .unservedVersion(apiKey, version: version, served: served, correlationID: correlationID)
        }
        guard readClientID(from: &body), skipTaggedFields(of: &body, apiKey: apiKey, version: version) else {
            return .unreadable("a \(apiKey) v\(version) request's header is cut short")
        }
        return .request(apiKey, version: version, correlationID: correlationID)
    }

    private mutating func readClientID(from body: inout ByteBuffer) -> Bool {
        guard let length = body.readInteger(as: Int16.self) else { return false }
        guard length >= 0 else {
            clientID = ""
            clientIDBytes = ByteBuffer()
            return length == -1
        }
        guard let bytes = body.readSlice(length: Int(length)) else { return false }
        if bytes != clientIDBytes {
            clientID = String(buffer: bytes)
            clientIDBytes = ByteBuffer(string: clientID)
        }
        return true
    }

    private func skipTaggedFields(of body: inout ByteBuffer, apiKey: ApiKey, version: Int16) -> Bool {
        guard apiKey.requestHeaderVersion(for: version) >= 2 else { return true }
        guard let count = body.readUnsignedVarint() else { return false }
        for _ in 0..<count {
            guard body.readUnsignedVarint() != nil, let length = body.readUnsignedVarint() else { return false }
            guard Int(length) <= body.readableBytes else { return false }
            body.moveReaderIndex(forwardBy: Int(length))
        }
        return true
    }
}

extension ByteBuffer {
    /// An unsigned LEB128 number of at most 32 bits.
    mutating func readUnsignedVarint() -> UInt32? {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while shift < 35 {
            guard let byte = readInteger(as: UInt8.self) else { return nil }
            value |= UInt32(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }
}
