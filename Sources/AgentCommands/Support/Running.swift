import Base
import Logging
import ServiceLifecycle
import Telemetry
import UnixSignals

/// How long a stop may take: what isn't done then is cancelled, and cut off `cancellationMax` later. The units' `TimeoutStopSec=` is longer.
public enum StopDeadline {
    public static let gracefulMax = Duration.seconds(30)
    public static let cancellationMax = Duration.seconds(15)
}

/// Runs services until SIGTERM or SIGINT, then stops them in reverse order; the service manager hears of it all.
///
/// - Parameter mayEnd: whether a service that ends by itself stops the others in good order; otherwise that is an error.
public func runServices(
    _ services: [any Service], notifier: ServiceNotifier, telemetry: Telemetry, mayEnd: Bool = false
) async throws {
    var configuration = ServiceGroupConfiguration(
        services: ([notifier.feeding] + services + [notifier.farewell])
            .map {
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: $0, successTerminationBehavior: mayEnd ? .gracefullyShutdownGroup : .cancelGroup)
            },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: telemetry.logger)
    configuration.maximumGracefulShutdownDuration = StopDeadline.gracefulMax
    configuration.maximumCancellationDuration = StopDeadline.cancellationMax
    try await ServiceGroup(configuration: configuration).run()
}

/// A service of two closures: start, and stop once the process is told to end.
public struct StartStopService: Service {
    let start: @Sendable () async throws -> Void
    let stop: @Sendable () async -> Void

    public init(start: @escaping @Sendable () async throws -> Void, stop: @escaping @Sendable () async -> Void) {
        self.start = start
        self.stop = stop
    }

    public func run() async throws {
        try await start()
        try? await gracefulShutdown()
        await stop()
    }
}

/// A service that runs until it is asked to stop, and whose own end (or error) ends the process.
public struct EndingService: Service {
    let body: @Sendable () async throws -> Void
    let stop: @Sendable () -> Void

    public init(run body: @escaping @Sendable () async throws -> Void, stop: @escaping @Sendable () -> Void) {
        self.body = body
        self.stop = stop
    }

    public func run() async throws {
        // Another service's failure cancels this one: then too it is stopped in its own way.
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await body()
            } onGracefulShutdown: {
                stop()
            }
        } onCancel: {
            stop()
        }
    }
}

/// SIGHUP, for a process that reads its configuration at its start alone: what can be read again is, and the rest is said.
public struct HangupService: Service {
    let telemetry: Telemetry
    let reread: @Sendable () async -> Void

    /// - Parameter reread: reads again what else the process reads.
    public init(telemetry: Telemetry, reread: @escaping @Sendable () async -> Void = {}) {
        self.telemetry = telemetry
        self.reread = reread
    }

    public func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            for await _ in signals {
                await reread()
                telemetry.emit(
                    Note(
                        "SIGHUP: certificates were looked at; the configuration file is read at the start alone: restart to apply it",
                        level: .warning))
            }
        }
    }
}
