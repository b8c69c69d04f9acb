import Events
import NIOHTTP1

/// What goes back to a browser.
struct Response: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Server-sent events, until the closure returns or the browser goes away (its task is then cancelled).
        case stream(@Sendable (EventStream) async -> Void)
    }

    var status = HTTPResponseStatus.ok
    var contentType: String
    var headers: [(String, String)] = []
    var body: Body

    static func json(_ fields: [Field], status: HTTPResponseStatus = .ok) -> Response {
        var bytes: [UInt8] = []
        JSONWriter.append(object: fields, to: &bytes)
        return Response(
            status: status, contentType: "application/json; charset=utf-8", headers: [("cache-control", "no-store")],
            body: .bytes(bytes))
    }

    static func text(_ text: String, status: HTTPResponseStatus = .ok, headers: [(String, String)] = []) -> Response {
        Response(
            status: status, contentType: "text/plain; charset=utf-8",
            headers: [("cache-control", "no-store")] + headers,
            body: .bytes(Array(text.utf8)))
    }

    static func error(_ error: RequestError) -> Response {
        .json([Field("error", .string(error.message))], status: error.status)
    }
}

/// A request that can't be answered: the status, and what to do about it.
struct RequestError: Error {
    var status: HTTPResponseStatus
    var message: String

    init(_ status: HTTPResponseStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}

/// What every answer carries. The page needs nothing from elsewhere and no inline script or style.
enum SecurityHeaders {
    static let all: [(String, String)] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"), ("cross-origin-opener-policy", "same-origin"),
    ]
}
