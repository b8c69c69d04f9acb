import Base
import KafkaConnection
import Synchronization
import Telemetry

/// Leads the requests of one listener's connections to their handlers.
final class ListenerDispatcher: RequestDispatcher {
    private let listener: ListenerSettings
    private let table: ApiTable
    private let fetches: WaitingFetches
    private let time: any TimeSource
    private let telemetry: Telemetry
    private let refusals = Mutex(RefusalLog())
    private let turnedAway = Mutex(RefusalLog())
    private let requests: CounterHandle
    private let connections: GaugeHandle
    private let unauthenticated: GaugeHandle
    /// Known once the listener is bound; no request comes before that.
    private let advertisedAddress = Mutex<Address?>(nil)

    init(
        listener: ListenerSettings, table: ApiTable, fetches: WaitingFetches, time: any TimeSource, telemetry: Telemetry
    ) {
        self.listener = listener
        self.table = table
        self.fetches = fetches
        self.time = time
        self.telemetry = telemetry
        requests = telemetry.metrics.counter(BrokerMetrics.requests, listener.name)
        connections = telemetry.metrics.gauge(BrokerMetrics.connections, listener.name)
        unauthenticated = telemetry.metrics.gauge(BrokerMetrics.unauthenticated, listener.name)
    }

    func bound(to address: Address) {
        advertisedAddress.withLock { $0 = listener.advertised(boundPort: address.port) }
    }

    var advertised: Address { advertisedAddress.withLock { $0 } ?? listener.advertise ?? listener.bind }

    func connectionOpened(_ connection: ServerConnection) {
        connections.add(1)
        connection.session = PeerSession(listener)
        if !connection.isLetIn { unauthenticated.add(1) }
    }

    func connectionLetIn(_ connection: ServerConnection) { unauthenticated.add(-1) }

    func requestReceived(_ request: ReceivedRequest) {
        requests.increment()
        if !listener.sasl.isEmpty, let session = PeerSession.of(request.connection),
            let refusal = session.refusal(of: request.apiKey, now: time.now)
        {
            return request.close(.refused(refusal))
        }
        table.handle(request, advertised: advertised)
    }

    func connectionClosed(_ connection: ServerConnection, reason: CloseReason) {
        connections.add(-1)
        if !connection.isLetIn { unauthenticated.add(-1) }
        fetches.connectionClosed(connection)
        var fact = ConnectionClosed(listener: listener.name, peer: connection.remoteAddress, reason: reason)
        if reason.isRefusal {
            let now = time.now
            let unsaidCount = refusals.withLock { $0.refused(now: now) }
            fact.isSaid = unsaidCount != nil
            fact.unsaidCount = unsaidCount ?? 0
        }
        telemetry.emit(fact)
    }

    func connectionRefused(remoteAddress: String, limit: ConnectionLimit, openCount: Int) {
        let unsaidCount = turnedAway.withLock { $0.refused(now: time.now) }
        telemetry.emit(
            ConnectionTurnedAway(
                listener: listener.name, peer: remoteAddress, limit: limit, openCount: openCount,
                isSaid: unsaidCount != nil, unsaidCount: unsaidCount ?? 0))
    }
}

/// Says when a refusal is worth a line: the first in ten seconds. A peer that reconnects in a loop must not fill the disk.
struct RefusalLog {
    private static let quiet = Duration.seconds(10)

    private var quietUntil: Instant?
    private var unsaidCount = 0

    /// How many went unsaid since the last line; nil where this one does too.
    mutating func refused(now: Instant) -> Int? {
        if let quietUntil, now < quietUntil {
            unsaidCount += 1
            return nil
        }
        quietUntil = now + Self.quiet
        defer { unsaidCount = 0 }
        return unsaidCount
    }
}
