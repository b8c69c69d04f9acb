import Base
import ServiceLifecycle
import Synchronization
import Telemetry
import UnixSignals

/// A service that reads its configuration again on SIGHUP: what runs is stopped in its own way, so that every position is kept, and begun again
/// with what was read. A configuration that is wrong changes nothing and is said.
public final class ReloadableService: Service {
    /// One run, from one configuration.
    public struct Work: Sendable {
        let run: @Sendable () async throws -> Void
        let stop: @Sendable () -> Void

        public init(run: @escaping @Sendable () async throws -> Void, stop: @escaping @Sendable () -> Void) {
            self.run = run
            self.stop = stop
        }
    }

    private struct State {
        var current: Work
        var next: Work?
        var isStopping = false
    }

    private let state: Mutex<State>
    private let make: (@Sendable () async throws -> Work)?
    private let notifier: ServiceNotifier
    private let telemetry: Telemetry

    /// - Parameter make: reads the configuration again and checks it; nil where there is no file to read, and SIGHUP ends the process as ever.
    public init(
        first: Work, notifier: ServiceNotifier, telemetry: Telemetry, make: (@Sendable () async throws -> Work)?
    ) {
        state = Mutex(State(current: first))
        self.make = make
        self.notifier = notifier
        self.telemetry = telemetry
    }

    public func run() async throws {
        guard make != nil else { return try await runWork() }
        // Trapped before the work begins: a signal that comes early must not end the process.
        let signals = await UnixSignalsSequence(trapping: .sighup)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in for await _ in signals { await reload() } }
            group.addTask { [self] in try await runWork() }
            // The first to end is the work: the signals have no end.
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Reads the configuration and, where it is right, has the work begin again with it.
    func reload() async {
        guard let make else { return }
        notifier.reloadBegan()
        do {
            let next = try await make()
            let current = state.withLock { state -> Work? in
                guard !state.isStopping else { return nil }
                state.next = next
                return state.current
            }
            telemetry.emit(Note("the configuration was read again"))
            // The manager hears of the end when the next work begins.
            current?.stop()
        } catch {
            notifier.reloadEnded()
            telemetry.emit(
                Note("the configuration can't be used; everything goes on as before: \(error)", level: .error))
        }
    }

    private func runWork() async throws {
        // Another service's failure cancels this one: then too it is stopped in its own way.
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                while true {
                    let work = state.withLock { $0.current }
                    if state.withLock({ $0.isStopping }) { work.stop() }
                    try await work.run()
                    let goesOn = state.withLock { state in
                        guard let next = state.next, !state.isStopping else { return false }
                        state.next = nil
                        state.current = next
                        return true
                    }
                    guard goesOn else { return }
                    notifier.reloadEnded()
                }
            } onGracefulShutdown: {
                self.stop()
            }
        } onCancel: {
            self.stop()
        }
    }

    private func stop() {
        let current = state.withLock { state in
            state.isStopping = true
            return state.current
        }
        current.stop()
    }
}
