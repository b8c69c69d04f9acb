import Base
import KafkaConnection
import KafkaWire
import NIOCore
import Synchronization
import Telemetry

/// A Kafka cluster, any: its metadata, and the connections to its brokers. Share one among everything that talks to the cluster.
///
/// `send` tries once: what a lost answer means is the caller's to decide. `retrying` goes on where trying again is harmless. Call `shutDown()` when done.
/// What fails and is tried again by whoever shares the cluster is told to `telemetry`, once when it begins and once when it is over, and stands in `troubles` meanwhile.
public final class KafkaCluster: Sendable {
    struct State {
        var view = ClusterView()
        var coordinators: [String: BrokerID] = [:]
        var transactionCoordinators: [String: BrokerID] = [:]
        /// A refresh under way and the topics it asks for (nil: all).
        var refresh: (topics: Set<String>?, mayCreate: Bool, task: Task<Result<ClusterView, ClientError>, Never>)?
        var bootstrapNext = 0
    }

    public let settings: ClusterSettings
    let time: any TimeSource
    let pool: ConnectionPool
    let telemetry: Telemetry
    let trouble: ClientTroubles
    let state = Mutex(State())

    public init(
        settings: ClusterSettings, on group: any EventLoopGroup, time: any TimeSource = SystemTime(),
        telemetry: Telemetry = .silent
    ) {
        self.settings = settings
        self.time = time
        self.telemetry = telemetry
        trouble = ClientTroubles(telemetry: telemetry, time: time)
        pool = ConnectionPool(
            settings: settings, group: group, time: time, troubles: trouble, telemetry: telemetry)
    }

    /// What fails now and is tried again, a line for each broker, group and partition concerned: for a health endpoint.
    public var troubles: [String] { trouble.lines }

    /// Closes every connection; calls under way fail.
    public func shutDown() { pool.close() }

    /// What is known now, without asking anybody.
    public var view: ClusterView { state.withLock { $0.view } }

    // MARK: Requests

    /// Sends to whom the metadata says, once. A connection that breaks marks what led to it as doubtful, so that the next call asks again.
    ///
    /// - Throws: what `ClientConnection.send` throws; `.noBroker`, `.noLeader`, `.connectFailed`. Error codes within the answer are the caller's to look at:
    ///   on `NOT_LEADER_OR_FOLLOWER` and its like call `doubt(topic:)`, on `NOT_COORDINATOR` `doubtCoordinator(of:)`.
    public func send<Request: WireRequest>(
        _ request: Request, to destination: Destination, lane: Lane = .shared, version: Int16? = nil,
        versionMax: Int16? = nil, timeout: Duration? = nil
    ) async throws(ClientError) -> Request.Response {
        let connection = try await connection(to: destination, lane: lane)
        do {
            return try await connection.send(request, version: version, versionMax: versionMax, timeout: timeout)
        } catch {
            if error.code == .connectionClosed || error.code == .timedOut { doubt(destination) }
            throw error
        }
    }

    /// The connection for a destination, opened where it is not. With `ClientConnection.enqueue` it keeps the order of what one caller sends.
    public func connection(
        to destination: Destination, lane: Lane = .shared
    ) async throws(ClientError) -> ClientConnection {
        switch destination {
        case .any: return try await anyConnection()
        case .broker(let id): return try await connection(id, lane: lane)
        case .leader(let partition):
            let leader = try await leader(of: partition).broker
            return try await connection(leader, lane: lane, onFailure: destination)
        case .coordinator(let group):
            return try await connection(try await coordinator(of: group), lane: lane, onFailure: destination)
        case .transactionCoordinator(let id):
            return try await connection(try await coordinator(ofTransactions: id), lane: lane, onFailure: destination)
        case .controller:
            if view.controller == nil { _ = try await refresh([]) }
            guard let controller = view.controller, view.brokers[controller] != nil else {
                return try await anyConnection()
            }
            return try await connection(controller, lane: lane)
        }
    }

    private func connection(
        _ id: BrokerID, lane: Lane, onFailure destination: Destination? = nil
    ) async throws(ClientError) -> ClientConnection {
        if view.brokers[id] == nil { _ = try await refresh([]) }
        guard let broker = view.brokers[id] else {
            destination.map(doubt)
            throw ClientError(.noBroker, "the cluster's metadata knows no broker \(id)")
        }
        do {
            return try await pool.connection(ConnectionPool.Key(address: broker.address, lane: lane))
        } catch {
            destination.map(doubt)
            throw error
        }
    }

    /// An open connection if there is one, else to a broker that is known, else to a bootstrap address.
    private func anyConnection() async throws(ClientError) -> ClientConnection {
        let known = view.brokers.values.map(\.address).shuffled()
        let start = state.withLock { state in
            state.bootstrapNext += 1
            return state.bootstrapNext - 1
        }
        var bootstrap = settings.bootstrap
        if !bootstrap.isEmpty {
            let shift = start % bootstrap.count
            bootstrap = Array(bootstrap[shift...] + bootstrap[..<shift])
        }
        let candidates = known + bootstrap.filter { !known.contains($0) }
        for address in candidates {
            if let open = pool.openConnection(ConnectionPool.Key(address: address, lane: .shared)) { return open }
        }
        var last: ClientError?
        for address in candidates {
            do {
                return try await pool.connection(ConnectionPool.Key(address: address, lane: .shared))
            } catch {
                if error.code == .closed || error.code == .authenticationFailed { throw error }
                last = error
            }
        }
        let tried = candidates.map(\.description).joined(separator: ", ")
        throw ClientError(.noBroker, "none of \(tried) answers; the last said: \(last?.message ?? "–")", cause: last)
    }

    /// Closes the connections of a lane.
    public func closeLane(_ lane: Lane) { pool.close(lane) }

    private func doubt(_ destination: Destination) {
        switch destination {
        case .leader(let partition): doubt(topic: partition.topic)
        case .coordinator(let group): doubtCoordinator(of: group)
        case .transactionCoordinator(let id): doubtCoordinator(ofTransactions: id)
        case .any, .broker, .controller: break
        }
    }

    // MARK: Trying again

    /// Repeats `body` while its error is retriable, with backoff, until it works, `timeout` (by default the settings') is over, or the task is cancelled.
    public func retrying<Value: Sendable>(
        timeout: Duration? = nil, _ body: () async throws(ClientError) -> Value
    ) async throws(ClientError) -> Value {
        let deadline = time.now + (timeout ?? settings.retryTimeout)
        var backoff = settings.backoff
        while true {
            do {
                return try await body()
            } catch {
                let delay = backoff.next()
                guard error.isRetriable, time.now + delay < deadline, !Task.isCancelled else { throw error }
                try await pause(delay)
            }
        }
    }

    /// Sleeps; throws `.cancelled` where the task is.
    func pause(_ delay: Duration) async throws(ClientError) {
        do { try await Task.sleep(for: delay) } catch { throw ClientError(.cancelled, "cancelled while waiting") }
    }
}
