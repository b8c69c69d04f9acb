public import Base
public import Broker
public import KafkaConnection
import NIOPosix
public import SystemPackage
public import Telemetry
import TestKit

/// The real broker, in this process, on a free loopback port and a folder of its own.
public final class TestBroker: Sendable {
    public let server: BrokerServer
    public let settings: BrokerSettings
    public let fileSystem: any FileSystem

    /// Where clients connect to.
    public var address: Address { server.addresses[0] }

    private init(
        settings: BrokerSettings, fileSystem: any FileSystem, time: any TimeSource, telemetry: Telemetry,
        transportSecurity: TransportSecurityMaker?
    ) {
        self.settings = settings
        self.fileSystem = fileSystem
        server = BrokerServer(
            settings: settings, fileSystem: fileSystem, time: time,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, telemetry: telemetry,
            transportSecurity: transportSecurity)
    }

    /// Starts a broker. Without `data` it gets a fresh folder below /tmp, which `with` removes; stop and start again on the same folder
    /// with `restarted`.
    public static func start(
        data: FilePath? = nil, fileSystem: any FileSystem = PosixFileSystem(), time: any TimeSource = SystemTime(),
        telemetry: Telemetry = .silent, configure: (inout BrokerSettings) -> Void = { _ in },
        transportSecurity: TransportSecurityMaker? = nil
    ) async throws -> TestBroker {
        var settings = BrokerSettings(
            data: data ?? FilePath("/tmp/millrace-test-\(UInt64.random(in: 0...UInt64.max))"),
            listeners: [ListenerSettings(bind: Address(host: "127.0.0.1", port: 0))])
        configure(&settings)
        let broker = TestBroker(
            settings: settings, fileSystem: fileSystem, time: time, telemetry: telemetry,
            transportSecurity: transportSecurity)
        try await broker.server.start()
        return broker
    }

    /// Starts a broker, runs `body`, shuts it down and removes its folder.
    public static func with<Value>(
        fileSystem: any FileSystem = PosixFileSystem(), time: any TimeSource = SystemTime(),
        telemetry: Telemetry = .silent, transportSecurity: TransportSecurityMaker? = nil,
        configure: (inout BrokerSettings) -> Void = { _ in }, _ body: (TestBroker) async throws -> Value
    ) async throws -> Value {
        let broker = try await start(
            fileSystem: fileSystem, time: time, telemetry: telemetry, configure: configure,
            transportSecurity: transportSecurity)
        let result: Result<Value, any Error>
        do { result = .success(try await body(broker)) } catch { result = .failure(error) }
        await broker.server.shutDown()
        if fileSystem is PosixFileSystem { removeTree(broker.settings.data, fileSystem) }
        return try result.get()
    }

    public func shutDown() async { await server.shutDown() }

    /// The same broker after a clean stop; another port.
    public func restarted(time: any TimeSource = SystemTime()) async throws -> TestBroker {
        await shutDown()
        return try await again(time: time)
    }

    /// The same broker after `kill -9`: nothing it had in its own memory was written. Only on a `SimulatedFileSystem`.
    public func killed(time: any TimeSource = SystemTime()) async throws -> TestBroker {
        await end { $0.processKilled() }
        return try await again(time: time)
    }

    /// The same broker after a power cut: what was not synced is gone as `survival` says. Only on a `SimulatedFileSystem`.
    public func powerCut(
        using random: inout SeededRandom, survival: Survival, time: any TimeSource = SystemTime()
    ) async throws -> TestBroker {
        var generator = random
        await end { $0.crash(using: &generator, survival: survival) }
        random = generator
        return try await again(time: time)
    }

    private func end(_ how: (SimulatedFileSystem) -> Void) async {
        guard let simulated = fileSystem as? SimulatedFileSystem else {
            preconditionFailure("only a broker on a SimulatedFileSystem can be killed in this process")
        }
        simulated.stopAt(operation: simulated.operationCount + 1)
        await server.shutDown()
        how(simulated)
    }

    private func again(time: any TimeSource) async throws -> TestBroker {
        let settings = settings
        return try await Self.start(
            data: settings.data, fileSystem: fileSystem, time: time, configure: { $0 = settings })
    }

    private static func removeTree(_ path: FilePath, _ fileSystem: any FileSystem) {
        for entry in (try? fileSystem.list(path)) ?? [] {
            let child = path.appending(entry.name)
            if entry.isDirectory { removeTree(child, fileSystem) } else { try? fileSystem.unlink(child) }
        }
        try? fileSystem.removeDirectory(path)
    }
}
