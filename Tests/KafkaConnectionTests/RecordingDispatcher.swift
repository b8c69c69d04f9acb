import KafkaConnection
import KafkaWire
import NIOCore
import Synchronization

/// Keeps what a server connection tells it, and answers as the test says.
final class RecordingDispatcher: RequestDispatcher {
    struct Seen {
        var requests: [ReceivedRequest] = []
        var opened = 0
        var closed: [CloseReason] = []
        var refused: [String] = []
    }

    private let state = Mutex(Seen())
    private let answer: @Sendable (ReceivedRequest) -> Void

    init(answer: @escaping @Sendable (ReceivedRequest) -> Void = { _ in }) { self.answer = answer }

    var seen: Seen { state.withLock { $0 } }

    func connectionOpened(_ connection: ServerConnection) { state.withLock { $0.opened += 1 } }

    func requestReceived(_ request: ReceivedRequest) {
        state.withLock { $0.requests.append(request) }
        answer(request)
    }

    func connectionClosed(_ connection: ServerConnection, reason: CloseReason) {
        state.withLock { $0.closed.append(reason) }
    }

    func connectionRefused(remoteAddress: String, limit: ConnectionLimit, openCount: Int) {
        state.withLock { $0.refused.append("\(limit) \(openCount)") }
    }
}

/// Versions of the APIs that these tests speak.
func testVersions(apiVersions: ClosedRange<Int16> = 0...4) -> ServedVersions {
    let served = [
        ServedVersions.Range(apiKey: .produce, versions: 3...13),
        ServedVersions.Range(apiKey: .fetch, versions: 4...18),
        ServedVersions.Range(apiKey: .metadata, versions: 0...13),
        ServedVersions.Range(apiKey: .heartbeat, versions: 0...4),
        ServedVersions.Range(apiKey: .apiVersions, versions: apiVersions),
    ]
    var advertised = served
    advertised[0].versions = 0...13
    return ServedVersions(advertised: advertised, served: served)
}

/// A request's frame, with its length.
func frame(
    _ request: some WireRequest, version: Int16, correlationID: Int32, clientID: String? = "test"
) throws -> ByteBuffer {
    var writer = WireWriter()
    writer.write(Int32(0))
    try request.encode(into: &writer, version: version, correlationID: correlationID, clientID: clientID)
    writer.buffer.setInteger(Int32(writer.buffer.readableBytes - 4), at: 0)
    return writer.buffer
}

func heartbeat(group: String) -> HeartbeatRequest {
    var request = HeartbeatRequest()
    request.groupId = group
    return request
}

/// Answers to heartbeats carry the length of the group's name as their throttle time, so that each can be told from the others.
func answerHeartbeat(_ request: ReceivedRequest) {
    guard let heartbeat = try? request.decode(HeartbeatRequest.self) else {
        return request.close(.failed("undecodable"))
    }
    var response = HeartbeatResponse()
    response.throttleTimeMs = Int32(heartbeat.groupId.utf8.count)
    request.respond(response)
}
