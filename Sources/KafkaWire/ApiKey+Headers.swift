extension ApiKey {
    /// The version of the header that comes before a request (KIP-482): 2, with tagged fields, where the request is flexible.
    public func requestHeaderVersion(for version: Int16) -> Int16 { isFlexible(version) ? 2 : 1 }

    /// The version of the header that comes before a response.
    ///
    /// That of ApiVersions is always 0: a client reads it before it knows what the broker speaks (KIP-511).
    public func responseHeaderVersion(for version: Int16) -> Int16 {
        self != .apiVersions && isFlexible(version) ? 1 : 0
    }

    public func isFlexible(_ version: Int16) -> Bool {
        guard let first = firstFlexibleVersion else { return false }
        return version >= first
    }
}

extension RequestHeader {
    /// Reads the header of a request, whose version follows from the first four bytes:
    ///
    ///     | api key i16 | api version i16 | correlation id i32 | client id string? | tagged fields where flexible |
    ///
    /// Versions that the API lacks are read too, for ApiVersions has to answer them. An API that is not known throws `unknownApi`.
    public static func read(from reader: inout WireReader) throws(WireError) -> RequestHeader {
        var start = reader
        let key = try start.readInt16()
        let version = try start.readInt16()
        guard let api = ApiKey(rawValue: key) else { throw WireError(.unknownApi, "no API has the key \(key)") }
        return try RequestHeader(from: &reader, version: api.requestHeaderVersion(for: version))
    }

    /// Nil for an API that is not known.
    public var apiKey: ApiKey? { ApiKey(rawValue: requestApiKey) }

    public init(apiKey: ApiKey, version: Int16, correlationID: Int32, clientID: String?) {
        self.init()
        requestApiKey = apiKey.rawValue
        requestApiVersion = version
        correlationId = correlationID
        clientId = clientID
    }

    /// Writes the header in the version that the request takes.
    public func encode(into writer: inout WireWriter) throws(WireError) {
        guard let apiKey else { throw WireError(.unknownApi, "no API has the key \(requestApiKey)") }
        try encode(into: &writer, version: apiKey.requestHeaderVersion(for: requestApiVersion))
    }
}

extension WireRequest {
    /// A request's frame without its length: header and body.
    public func encode(into writer: inout WireWriter, version: Int16, correlationID: Int32, clientID: String?)
        throws(WireError)
    {
        let header = RequestHeader(
            apiKey: Self.apiKey, version: version, correlationID: correlationID, clientID: clientID)
        try header.encode(into: &writer)
        try encode(into: &writer, version: version)
    }
}

extension WireResponse {
    /// A response's frame without its length: header and body.
    public func encode(into writer: inout WireWriter, version: Int16, correlationID: Int32) throws(WireError) {
        var header = ResponseHeader()
        header.correlationId = correlationID
        try header.encode(into: &writer, version: Self.apiKey.responseHeaderVersion(for: version))
        try encode(into: &writer, version: version)
    }
}
