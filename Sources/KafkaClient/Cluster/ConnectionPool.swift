import Base
import KafkaConnection
import NIOCore
import Synchronization
import Telemetry

/// The connections of one cluster, one for each broker and lane, made when they are first wanted and again after they broke.
final class ConnectionPool: Sendable {
    struct Key: Hashable {
        var address: Address
        var lane: Lane
    }

    private enum Entry {
        case connecting(Task<Result<ClientConnection, ClientError>, Never>)
        case open(ClientConnection)
        /// The last try failed: the next one begins no earlier than `retryAt`.
        case failed(backoff: Backoff, retryAt: Instant)
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// When each broker's throttling was last said.
        var throttleSaidAt: [Address: Instant] = [:]
        var isClosed = false
    }

    private let settings: ClusterSettings
    private let group: any EventLoopGroup
    private let time: any TimeSource
    private let troubles: ClientTroubles
    private let telemetry: Telemetry
    private let state = Mutex(State())

    init(
        settings: ClusterSettings, group: any EventLoopGroup, time: any TimeSource, troubles: ClientTroubles,
        telemetry: Telemetry
    ) {
        self.troubles = troubles
        self.telemetry = telemetry
        self.settings = settings
        self.group = group
        self.time = time
    }

    /// An open connection, if there is one.
    func openConnection(_ key: Key) -> ClientConnection? {
        state.withLock { state in
            if case .open(let connection) = state.entries[key], connection.isOpen { connection } else { nil }
        }
    }

    /// An open connection; callers that come while it is being made share the try.
    func connection(_ key: Key) async throws(ClientError) -> ClientConnection {
        enum Step {
            case have(ClientConnection)
            case wait(Task<Result<ClientConnection, ClientError>, Never>)
            case closed
        }
        let step = state.withLock { state -> Step in
            if state.isClosed { return .closed }
            var backoff = Backoff(first: settings.backoff.first, max: settings.backoff.max)
            var delay = Duration.zero
            switch state.entries[key] {
            case .open(let connection) where connection.isOpen: return .have(connection)
            case .connecting(let task): return .wait(task)
            case .failed(let failures, let retryAt):
                backoff = failures
                delay = retryAt - time.now
            case .open, nil: break
            }
            let task = Task { [backoff, delay] in await self.connect(key, backoff: backoff, delay: delay) }
            state.entries[key] = .connecting(task)
            return .wait(task)
        }
        switch step {
        case .have(let connection): return connection
        case .wait(let task): return try await task.value.get()
        case .closed: throw ClientError(.closed, "the cluster's client was closed")
        }
    }

    private func connect(
        _ key: Key, backoff: Backoff, delay: Duration
    ) async -> Result<ClientConnection, ClientError> {
        if delay > .zero { try? await Task.sleep(for: delay) }
        do throws(ClientError) {
            let connection = try await ClientConnection.connect(
                to: key.address, on: group, settings: settings.connection
            ) { [weak self] in
                self?.throttled(key.address, for: $0)
            }
            troubles.worked(.broker(key.address.description))
            let isClosed = state.withLock { state in
                if !state.isClosed { state.entries[key] = .open(connection) }
                return state.isClosed
            }
            if isClosed {
                connection.close()
                throw ClientError(.closed, "the cluster's client was closed")
            }
            return .success(connection)
        } catch {
            var backoff = backoff
            let retryAt = time.now + backoff.next()
            let isClosed = state.withLock { state in
                if !state.isClosed { state.entries[key] = .failed(backoff: backoff, retryAt: retryAt) }
                return state.isClosed
            }
            if !isClosed {
                troubles.failed(
                    .broker(key.address.description), form: error.code.description, reason: error.message)
            }
            return .failure(error)
        }
    }

    /// Said at most once a minute for each broker.
    private func throttled(_ address: Address, for duration: Duration) {
        let now = time.now
        let isSaid = state.withLock { state in
            if let saidAt = state.throttleSaidAt[address], now - saidAt < .seconds(60) { return false }
            state.throttleSaidAt[address] = now
            return true
        }
        telemetry.emit(ClientThrottled(address: address.description, duration: duration, isSaid: isSaid))
    }

    /// Closes the connections of a lane that nobody uses any more.
    func close(_ lane: Lane) {
        let closing = state.withLock { state in
            let keys = state.entries.keys.filter { $0.lane == lane }
            return keys.compactMap { state.entries.removeValue(forKey: $0) }
        }
        close(closing)
    }

    func close() {
        let closing = state.withLock { state in
            state.isClosed = true
            defer { state.entries = [:] }
            return Array(state.entries.values)
        }
        close(closing)
    }

    private func close(_ entries: [Entry]) {
        for entry in entries {
            switch entry {
            case .open(let connection): connection.close()
            case .connecting(let task):
                Task { if case .success(let connection) = await task.value { connection.close() } }
            case .failed: break
            }
        }
    }
}
