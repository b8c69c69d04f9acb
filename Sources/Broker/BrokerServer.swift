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
    private let transportSecurity: TransportSecurityMaker?
    private let state = Mutex(State.new)

    /// - Parameter transportSecurity: makes TLS for the listeners that want it; without it those can't be served.
    public init(
        settings: BrokerSettings, fileSystem: any FileSystem = PosixFileSystem(), time: any TimeSource = SystemTime(),
        eventLoopGroup: any EventLoopGroup, telemetry: Telemetry = .silent, health: Health = Health(),
        transportSecurity: TransportSecurityMaker? = nil
    ) {
        self.transportSecurity = transportSecurity
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
            health: health, transportSecurity: transportSecurity)
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

    /// Where this process's own clients had best connect: a listener that is open to all, if there is one. Empty while it does not listen.
    public var consoleAddresses: [Address] {
        let addresses = addresses
        let plain = zip(addresses, settings.listeners).filter { $1.isOpenToAll }.map { $0.0 }
        return plain.isEmpty ? addresses : Array(plain.prefix(1))
    }

    /// Reads the listeners' certificates again where their files changed, now rather than within a second. Returns when that is done.
    public func refreshCertificates() async {
        let broker = state.withLock { state -> RunningBroker? in
            if case .running(let broker) = state { broker } else { nil }
        }
        await broker?.refreshCertificates()
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
