import Base
import ServiceLifecycle
import Synchronization
import Telemetry

/// Tells the service manager how the process is, and says where a heart is missed.
public final class ServiceNotifier: Sendable {
    private let manager: ServiceManager
    private let health: Health
    private let telemetry: Telemetry
    private let time: any TimeSource
    private let reports = Mutex(ServiceReports())

    public init(
        manager: ServiceManager = ServiceManager(), health: Health, telemetry: Telemetry,
        time: any TimeSource = SystemTime()
    ) {
        self.manager = manager
        self.health = health
        self.telemetry = telemetry
        self.time = time
    }

    /// A third of the watchdog's interval, and at most a second, so that a status is fresh.
    private var interval: Duration { min(manager.watchdog.map { $0 / 3 } ?? .seconds(1), .seconds(1)) }

    func tick() {
        let now = ServiceReports.Now(
            isStarted: health.isStarted, missed: health.missed, summary: health.summary, monotonic: time.now)
        let (lines, alarm) = reports.withLock { $0.ticked(now) }
        manager.tell(lines)
        if let alarm {
            telemetry.emit(Note("\(alarm); the watchdog, where there is one, will start this again", level: .critical))
        }
    }

    func reloadBegan() { manager.tell(reports.withLock { $0.reloadBegan(monotonic: time.now) }) }
    func reloadEnded() { manager.tell(reports.withLock { $0.reloadEnded() }) }
    func stopBegan() { manager.tell(reports.withLock { $0.stopBegan() }) }

    /// Runs as long as the process: to be first among the services, since those are stopped last.
    var feeding: any Service { Feeding(notifier: self) }

    /// Speaks when the process is told to stop: to be last among the services.
    var farewell: any Service { Farewell(notifier: self) }

    private struct Feeding: Service {
        let notifier: ServiceNotifier

        func run() async throws {
            try? await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    notifier.tick()
                    try await Task.sleep(for: notifier.interval)
                }
            }
        }
    }

    private struct Farewell: Service {
        let notifier: ServiceNotifier

        func run() async throws {
            try? await gracefulShutdown()
            notifier.stopBegan()
        }
    }
}
