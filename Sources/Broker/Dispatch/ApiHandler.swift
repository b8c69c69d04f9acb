import KafkaConnection
import KafkaWire

/// Serves one API. Its file opens with the API's contract.
protocol ApiHandler: Sendable {
    associatedtype Request: WireRequest

    /// The versions that are served.
    static var versions: ClosedRange<Int16> { get }

    /// Answers the call exactly once, now or later. Runs on the connection's event loop and must not block it.
    func handle(_ call: Call<Request>)
}

/// A request that waits for its answer.
struct Call<Request: WireRequest>: Sendable {
    let request: Request
    let received: ReceivedRequest
    /// What clients of this connection's listener are told to connect to.
    let advertised: Address

    var version: Int16 { received.version }

    func answer(_ response: Request.Response, files: [[FileSlice]] = []) { received.respond(response, files: files) }
}

/// A handler that has its answer at hand.
protocol ImmediateApiHandler: ApiHandler {
    func answer(_ call: Call<Request>) -> Request.Response
}

extension ImmediateApiHandler {
    func handle(_ call: Call<Request>) { call.answer(answer(call)) }
}

/// A handler whose answer takes time. For rare, administrative requests: each gets a task of its own.
protocol DeferredApiHandler: ApiHandler {
    func answer(_ call: Call<Request>) async -> Request.Response
}

extension DeferredApiHandler {
    func handle(_ call: Call<Request>) { Task { call.answer(await answer(call)) } }
}
