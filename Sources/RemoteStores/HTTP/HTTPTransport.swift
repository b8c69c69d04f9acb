public import Base

public struct HTTPHeader: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// One request to a store's HTTP interface.
public struct HTTPCall: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// The first `length` bytes of a file, read a piece at a time.
        case file(any File, length: Int64)
    }

    public var method: String
    public var url: String
    /// Beside those that the transport adds: host, length, user agent, a type for bytes.
    public var headers: [HTTPHeader]
    public var body: Body
    /// An answer beyond this is refused.
    public var answerBytesMax: ByteCount

    public init(
        _ method: String, _ url: String, headers: [HTTPHeader] = [], body: Body = .none,
        answerBytesMax: ByteCount = .mib(1)
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.answerBytesMax = answerBytesMax
    }
}

public struct HTTPAnswer: Sendable {
    public var status: Int
    public var headers: [HTTPHeader]
    public var body: [UInt8]

    public init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, which is written in small letters.
    public func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
}

/// No answer came.
public struct HTTPFailure: Error, Sendable {
    /// True where the request can't have had an effect: nothing was sent.
    public var isUnsent: Bool
    public var reason: String

    public init(isUnsent: Bool, reason: String) {
        self.isUnsent = isUnsent
        self.reason = reason
    }
}

/// Sends requests, one answer each. Never follows a redirect by itself: it would send a body twice, or none.
public protocol HTTPTransport: Sendable {
    func send(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer
}
