import Base
import Logging
import Synchronization
import Telemetry

/// What goes wrong and is tried again: said when it begins, said again where it takes another form, said when it is over. Each failure counts in a
/// metric, whatever is said.
///
/// At most `subjectsMax` subjects are kept track of; failures of further ones are counted only.
final class ClientTroubles: Sendable {
    /// Who has the trouble.
    enum Subject: Hashable, Sendable, CustomStringConvertible {
        /// A broker that can't be connected to.
        case broker(String)
        /// A consumer group that can't be joined, or whose coordinator does not answer.
        case group(String)
        /// A partition whose leader is not found or does not serve it.
        case partition(TopicPartition)

        var kind: String {
            switch self {
            case .broker: "broker"
            case .group: "group"
            case .partition: "partition"
            }
        }

        var description: String {
            switch self {
            case .broker(let address): "broker \(address)"
            case .group(let group): "group \(group)"
            case .partition(let partition): "partition \(partition)"
            }
        }
    }

    private struct Trouble {
        var reason: String
        var failures: Int
        var failedAt: Instant
        /// The forms that were said since it began.
        var saidForms: Set<String>
    }

    static let subjectsMax = 1000
    private static let formsMax = 8
    /// Tries are at most a few seconds apart, so what has not failed for so long is not tried any more: a bootstrap address that nobody needs.
    static let currentFor = Duration.seconds(60)

    private let telemetry: Telemetry
    private let time: any TimeSource
    private let troubles = Mutex<[Subject: Trouble]>([:])
    /// Spares what goes well the lock.
    private let count = Atomic<Int>(0)
    private let gauge: GaugeHandle

    init(telemetry: Telemetry, time: any TimeSource) {
        self.telemetry = telemetry
        self.time = time
        gauge = telemetry.metrics.gauge(ClientMetrics.troubles)
    }

    /// A try failed and will be made again.
    ///
    /// - Parameter form: what the failure is like, without what differs from try to try.
    func failed(_ subject: Subject, form: String, reason: String) {
        let now = time.now
        let isNews = troubles.withLock { troubles in
            if troubles[subject] == nil {
                guard troubles.count < Self.subjectsMax else { return false }
                troubles[subject] = Trouble(reason: reason, failures: 0, failedAt: now, saidForms: [])
            }
            troubles[subject]!.reason = reason
            troubles[subject]!.failures += 1
            troubles[subject]!.failedAt = now
            counted(troubles.count)
            guard troubles[subject]!.saidForms.count < Self.formsMax else { return false }
            return troubles[subject]!.saidForms.insert(form).inserted
        }
        telemetry.emit(ClientCallFailed(subject: subject, reason: reason, isSaid: isNews))
    }

    /// It works: a trouble that there was is over.
    func worked(_ subject: Subject) {
        guard count.load(ordering: .relaxed) > 0, let trouble = remove(subject) else { return }
        telemetry.emit(ClientTroubleOver(subject: subject, failures: trouble.failures))
    }

    /// Nobody tries any more.
    func forget(_ subject: Subject) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        _ = remove(subject)
    }

    /// What the matter is, or nil.
    func reason(_ subject: Subject) -> String? {
        guard count.load(ordering: .relaxed) > 0 else { return nil }
        return troubles.withLock { $0[subject] }.flatMap { isCurrent($0) ? $0.reason : nil }
    }

    /// A line for each subject that is in trouble now.
    var lines: [String] {
        guard count.load(ordering: .relaxed) > 0 else { return [] }
        return troubles.withLock { $0 }.filter { isCurrent($0.value) }.map { "\($0.key): \($0.value.reason)" }.sorted()
    }

    private func isCurrent(_ trouble: Trouble) -> Bool { time.now - trouble.failedAt < Self.currentFor }

    private func remove(_ subject: Subject) -> Trouble? {
        troubles.withLock { troubles in
            defer { counted(troubles.count) }
            return troubles.removeValue(forKey: subject)
        }
    }

    private func counted(_ subjects: Int) {
        count.store(subjects, ordering: .relaxed)
        gauge.set(subjects)
    }
}

/// A call to the cluster failed and will be made again.
struct ClientCallFailed: Fact {
    let subject: ClientTroubles.Subject
    let reason: String
    let isSaid: Bool

    var level: Logger.Level { isSaid ? .warning : .debug }
    var message: String { "\(subject): \(reason); it is tried again" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(ClientMetrics.failures, subject.kind).increment()
    }
}

/// What failed before works again.
struct ClientTroubleOver: Fact {
    let subject: ClientTroubles.Subject
    let failures: Int

    var message: String { "\(subject): works again after \(failures) failed \(failures == 1 ? "try" : "tries")" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(ClientMetrics.recoveries, subject.kind).increment()
    }
}

/// A broker's quota holds this client back: nothing is sent on the connection for that long (KIP-219).
struct ClientThrottled: Fact {
    let address: String
    let duration: Duration
    let isSaid: Bool

    var level: Logger.Level { isSaid ? .info : .debug }
    var message: String { "broker \(address) asks to be left alone for \(duration): a quota of this client is used up" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(ClientMetrics.throttled).increment(by: Int(duration.milliseconds))
    }
}

/// A member has joined its group.
struct GroupJoined: Fact {
    let group: String
    let generation: GroupGeneration
    let partitionCount: Int

    var message: String { "group \(group): joined, \(generation), \(partitionCount) partitions" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(ClientMetrics.groupJoins, group).increment()
    }
}

/// A membership ended without this member's will: its partitions are others'.
struct MembershipLost: Fact {
    let group: String
    let generation: GroupGeneration

    var level: Logger.Level { .warning }
    var message: String {
        "group \(group): the membership ended (\(generation)); what was not committed is read again by whoever gets the partitions"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(ClientMetrics.membershipsLost, group).increment()
    }
}
