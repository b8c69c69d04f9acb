import Base
import KafkaConnection
import KafkaWire
import LogStorage
import NIOCore
import Synchronization
import SystemPackage
import Telemetry

/// A Kafka broker that is its own cluster, on one data folder.
///
/// After a `kill -9` the next start goes on where this one was: topics, offsets, producer ids and their sequences are all on the disk.
public final class BrokerServer: Sendable {
    private enum State {
        case new
        case starting
        case running(RunningBroker)
        case stopped
    }

    public let settings: BrokerSettings
    private let fileSystem: any FileSystem
    private let time: any TimeSource
    private let eventLoopGroup: any EventLoopGroup
    private let telemetry: Telemetry
    private let health: Health
    private let state = Mutex(State.new)

    public init(
        settings: BrokerSettings, fileSystem: any FileSystem = PosixFileSystem(), time: any TimeSource = SystemTime(),
        eventLoopGroup: any EventLoopGroup, telemetry: Telemetry = .silent, health: Health = Health()
    ) {
        self.health = health
        self.settings = settings
        self.fileSystem = fileSystem
        self.time = time
        self.eventLoopGroup = eventLoopGroup
        self.telemetry = telemetry
    }

    /// Opens the data folder and listens. Returns the address of each listener, with its real port. A server starts once.
    ///
    /// Throws `BrokerSettingsError`, `LogError` (another process holds the folder), `MetadataStoreError` or `ClientError` (an address is taken).
    @discardableResult
    public func start() async throws -> [Address] {
        state.withLock { state in
            guard case .new = state else { preconditionFailure("a broker starts once") }
            state = .starting
        }
        try settings.validate()
        health.report("broker", .notReady("recovering logs"))
        let broker = try await RunningBroker.open(
            settings, fileSystem: fileSystem, time: time, eventLoopGroup: eventLoopGroup, telemetry: telemetry,
            health: health)
        do { try await broker.listen(on: eventLoopGroup) } catch {
            await broker.shutDown()
            throw error
        }
        state.withLock { $0 = .running(broker) }
        health.started()
        return broker.addresses
    }

    /// Where it listens, in the order of the settings; empty while it does not.
    public var addresses: [Address] {
        state.withLock { state in
            if case .running(let broker) = state { broker.addresses } else { [] }
        }
    }

    /// What the handlers share while it runs.
    var services: BrokerServices? {
        state.withLock { state in
            if case .running(let broker) = state { broker.services } else { nil }
        }
    }

    /// Closes every connection, flushes everything and leaves the folder marked as clean.
    public func shutDown() async {
        let broker = state.withLock { state -> RunningBroker? in
            defer { state = .stopped }
            if case .running(let broker) = state { return broker }
            return nil
        }
        await broker?.shutDown()
    }
}
