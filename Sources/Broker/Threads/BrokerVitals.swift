import Base
import LogStorage
import NIOCore
import Synchronization
import Telemetry

/// Whether the broker's threads get on: each event loop and each disk lane is given a small job again and again, and its heart beats when the job
/// was done. A lane that hangs in a disk, or a loop that hangs in anything, is missed by `/healthz` and by the watchdog.
///
/// The lane of retention and compaction is not watched: its jobs may take an hour.
final class BrokerVitals: Sendable {
    /// A disk that needs longer for what was queued has stopped.
    static let laneSilenceMax = Duration.seconds(120)
    static let loopSilenceMax = Duration.seconds(60)
    static let interval = Duration.seconds(1)

    private struct Probe: Sendable {
        let heart: Heartbeat
        let isOut: Flag
        let submit: @Sendable (@escaping @Sendable () -> Void) -> Void
    }

    private final class Flag: Sendable { let isSet = Atomic(false) }

    private let probes: [Probe]
    private let health: Health
    private let time: any TimeSource
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(lanes: [(name: String, lane: DiskLane)], loops: any EventLoopGroup, health: Health, time: any TimeSource) {
        var probes: [Probe] = []
        for (name, lane) in lanes {
            probes.append(
                Probe(
                    heart: health.heartbeat("disk lane '\(name)'", silenceMax: Self.laneSilenceMax), isOut: Flag(),
                    submit: { lane.probe($0) }))
        }
        for (number, loop) in loops.makeIterator().enumerated() {
            probes.append(
                Probe(
                    heart: health.heartbeat("event loop \(number + 1)", silenceMax: Self.loopSilenceMax),
                    isOut: Flag(), submit: { loop.execute($0) }))
        }
        self.probes = probes
        self.health = health
        self.time = time
    }

    /// Begins to ask the threads, and tells whether the groups are served.
    func start(groupsAreLoaded: @escaping @Sendable () -> Bool) {
        let started = Task { [self] in
            while !Task.isCancelled {
                tick()
                health.report(
                    "broker", groupsAreLoaded() ? .ready : .notReady("the groups' offsets are being replayed"))
                do { try await Task.sleep(for: Self.interval) } catch { return }
            }
        }
        task.withLock { $0 = started }
    }

    func tick() {
        for probe in probes {
            // At most one job of each is out: a thread that hangs does not pile them up.
            guard !probe.isOut.isSet.exchange(true, ordering: .acquiringAndReleasing) else { continue }
            probe.submit { [time] in
                probe.heart.beat(now: time.now)
                probe.isOut.isSet.store(false, ordering: .releasing)
            }
        }
    }

    /// The threads are about to end, as they should.
    func stop() async {
        let task = task.withLock { $0 }
        task?.cancel()
        await task?.value
        for probe in probes { health.stopWatching(probe.heart) }
        health.report("broker", .notReady("stopped"))
    }

    /// What the log engine says of its disk, where that is what a person has to mend.
    ///
    /// - Parameter directories: how many the broker has. Where the others go on, one that is offline does not end the broker.
    static func report(_ fact: LogFact, to health: Health, directories: Int = 1) {
        switch fact {
        case .directoryOffline(let path, let reason):
            let text = "\(path) is offline: \(reason)"
            if directories > 1 {
                health.report("disk \(path)", .notReady(text))
            } else {
                health.report("disk", .failed(text))
            }
        case .partitionOffline(let partition, let reason):
            health.report("partition \(partition)", .notReady("offline: \(reason)"))
        case .diskFull(let path, let free):
            health.report(
                "disk space of \(path)",
                .notReady("\(path) has \(free) free: appends are refused; free some space"))
        case .diskHasRoomAgain(let path, _): health.report("disk space of \(path)", .ready)
        case .uncleanStart, .recovering, .recovered, .tailCut, .segmentsDropped, .batchesQuarantined, .batchesMissing,
            .epochMended,
            .indexRebuilt,
            .snapshotIgnored, .checkpointIgnored, .checkpointNotWritten, .segmentsDeleted, .compacted,
            .batchNotCompacted, .maintenanceFailed, .strangeFolder, .rotFound, .readsDiffer, .scrubFailed, .scrubbed:
            break
        }
    }
}
