import Logging
import ServiceLifecycle
import Telemetry

/// Runs services until SIGTERM or SIGINT, then stops them in reverse order; a second signal, or `stopTimeout`, ends the process at once.
public func runServices(_ services: [any Service], telemetry: Telemetry) async throws {
    var configuration = ServiceGroupConfiguration(
        services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: telemetry.logger)
    configuration.maximumGracefulShutdownDuration = .seconds(30)
    configuration.maximumCancellationDuration = .seconds(15)
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
