import Base
import KafkaWire
import Synchronization
import Telemetry

/// The broker's fetch sessions: the machine behind a lock, its random ids, and its metrics.
final class FetchSessions: Sendable {
    private let cache: Mutex<FetchSessionCache>
    private let time: any TimeSource
    private let sessions: GaugeHandle
    private let partitions: GaugeHandle
    private let evictions: CounterHandle

    init(limits: FetchSessionCache.Limits, time: any TimeSource, telemetry: Telemetry) {
        cache = Mutex(FetchSessionCache(limits: limits))
        self.time = time
        sessions = telemetry.metrics.gauge(BrokerMetrics.fetchSessions)
        partitions = telemetry.metrics.gauge(BrokerMetrics.fetchSessionPartitions)
        evictions = telemetry.metrics.counter(BrokerMetrics.fetchSessionsEvicted)
    }

    func requested(_ request: FetchRequest, version: Int16) -> FetchSessionCache.Outcome {
        let now = time.now
        return cache.withLock { cache in
            defer { show(cache) }
            return cache.requested(request, version: version, now: now)
        }
    }

    func answered(
        _ plan: FetchSessionCache.Plan, _ answers: [(key: FetchSession.Key, data: FetchResponse.PartitionData)],
        usesTopicIDs: Bool
    ) -> (sessionID: Int32, included: [Bool]) {
        // Most clients without sessions never get here to wait for the lock.
        if plan.shape == .full { return (0, [Bool](repeating: true, count: answers.count)) }
        let now = time.now
        return cache.withLock { cache in
            let evicted = cache.evictionCount
            defer {
                evictions.increment(by: cache.evictionCount - evicted)
                show(cache)
            }
            return cache.answered(plan, answers, usesTopicIDs: usesTopicIDs, now: now) {
                Int32.random(in: 1...Int32.max)
            }
        }
    }

    private func show(_ cache: borrowing FetchSessionCache) {
        sessions.set(cache.count)
        partitions.set(cache.partitionCount)
    }
}
