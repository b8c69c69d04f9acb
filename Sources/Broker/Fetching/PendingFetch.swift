import Base
import KafkaConnection
import KafkaWire
import LogStorage
import NIOCore

/// A fetch that is being answered: reads what there is, and waits for more where that is less than it asked for.
///
/// Unchecked: its state lives on the connection's event loop; `retry` and `timeIsUp` hand over to it.
final class PendingFetch: @unchecked Sendable {
    /// One partition of the request, found or not.
    struct Target {
        let asked: AskedPartition
        let partition: Partition?
        let error: ErrorCode
    }

    private let call: Call<FetchRequest>
    private let plan: FetchSessionCache.Plan
    private let targets: [Target]
    private let services: BrokerServices
    private let deadline: Instant
    private let bytesMin: Int
    private var isAnswered = false
    private var ticket: WaitingFetches.Ticket?

    var connection: ServerConnection { call.received.connection }

    init(_ call: Call<FetchRequest>, plan: FetchSessionCache.Plan, targets: [Target], services: BrokerServices) {
        self.call = call
        self.plan = plan
        self.targets = targets
        self.services = services
        let wait = min(Duration.milliseconds(max(0, call.request.maxWaitMs)), services.settings.limits.fetchWaitMax)
        deadline = services.time.now + wait
        bytesMin = Int(call.request.minBytes)
    }

    /// Answers now, or parks. On the event loop.
    func start() { attempt(mayWait: call.request.maxWaitMs > 0) }

    /// There may be more to read. From any thread.
    func retry() { connection.eventLoop.execute { self.attempt(mayWait: self.services.time.now < self.deadline) } }

    /// From any thread.
    func timeIsUp() { connection.eventLoop.execute { self.attempt(mayWait: false) } }

    private func attempt(mayWait: Bool) {
        guard !isAnswered else { return }
        while true {
            if let ticket { services.fetches.cancel(ticket) }
            ticket = nil
            let reading = FetchReading(call, targets: targets, bytesMax: bytesMax, brokerID: services.brokerID)
            guard mayWait, !reading.hasError, reading.byteCount < bytesMin, !reading.visibleEnds.isEmpty else {
                return answer(reading)
            }
            ticket = services.fetches.park(
                self, on: reading.visibleEnds.map(\.partition), bytesMissing: bytesMin - reading.byteCount,
                deadline: deadline)
            guard ticket != nil else { return answer(reading) }
            // What became visible between reading and parking woke nobody: read again then.
            guard reading.hasMoreSince(isolation: call.request.isolationLevel) else { return }
        }
    }

    private var bytesMax: Int {
        min(max(0, Int(call.request.maxBytes)), services.settings.limits.fetchBytesMax.bytes)
    }

    private func answer(_ reading: FetchReading) {
        isAnswered = true
        // An answer with records is always included, so every file has its place.
        let (sessionID, included) = services.fetchSessions.answered(
            plan, reading.answers.map { ($0.asked.key, $0.data) }, usesTopicIDs: call.version >= 13)
        let response = reading.response(sessionID: sessionID, included: included)
        // What is copied is read piece by piece as the client takes it.
        if connection.copiesFiles { return call.answer(response, files: reading.files) }
        services.readAhead.prepare(reading.files, for: connection) { [call] in
            call.answer(response, files: reading.files)
        }
    }
}
