import Base
import KafkaClient
import KafkaConnection
import KafkaWire
import NIOCore
import Synchronization
import SystemPackage
import Telemetry

/// An agent: reads sources and ships their lines to a cluster, each exactly once.
///
/// One thread does everything but the network: it polls inputs, builds and seals batches, keeps the intent log and decides what is sent.
/// While the cluster can't be reached nothing is read beyond what the intent log holds; the sources are the buffer.
public final class Agent: Sendable {
    /// Makes the inputs, with the checkpoints of earlier runs and a function that gives out stream ids. Called on the agent's thread.
    public typealias MakeInputs =
        @Sendable (_ checkpoints: [StreamCheckpoint], _ nextStreamID: @escaping () -> StreamID) throws -> [any Input]

    enum Message: Sendable {
        case answer(ProducerAnswer)
        /// Something is known that wasn't.
        case wake
        case failed(String)
        case stop
    }

    public let settings: AgentSettings
    let telemetry: Telemetry
    let health: Health
    let cluster: KafkaCluster
    let fileSystem: any FileSystem
    let time: any TimeSource
    let mailbox = LoopMailbox<Message>()
    private let makeInputs: MakeInputs
    private let begin: @Sendable () throws -> Void
    private let isStopping = Mutex(false)

    /// - Parameter begin: begins what can't wait for a broker, once the state directory is locked.
    public init(
        settings: AgentSettings, telemetry: Telemetry, health: Health = Health(), on group: any EventLoopGroup,
        fileSystem: any FileSystem = PosixFileSystem(), time: any TimeSource = SystemTime(),
        begin: @escaping @Sendable () throws -> Void = {}, makeInputs: @escaping MakeInputs
    ) {
        self.settings = settings
        self.telemetry = telemetry
        self.health = health
        self.fileSystem = fileSystem
        self.time = time
        self.makeInputs = makeInputs
        self.begin = begin
        var clusterSettings = ClusterSettings(bootstrap: settings.brokers)
        clusterSettings.connection = settings.connection
        cluster = KafkaCluster(settings: clusterSettings, on: group, time: time, telemetry: telemetry)
    }

    /// Runs until `stop()`, or until every input came to its end and all is acknowledged. When it is stopped it seals what was read, waits for acknowledgements up to `stopTimeout`, and returns.
    ///
    /// - Throws: a `FileError` where the state directory is locked or its disk fails; `SettingsError` and the like from inputs. The process
    ///   should end then, and be started again: the disk knows where to go on.
    public func run() async throws {
        defer { cluster.shutDown() }
        health.report("agent", .notReady("starting"))
        let directory = try StateDirectory(settings.state, in: fileSystem)
        defer { directory.release() }
        try begin()
        health.started()
        guard let clusterID = try await findCluster() else { return }
        let machineID = StateDirectory.machineID(in: fileSystem)
        let binding = StateBinding(machineID: machineID, clusterID: clusterID)
        do {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                LoopThread.start { [self] in
                    continuation.resume(
                        with: Result {
                            var loop = try AgentLoop(self, binding, makeInputs)
                            try loop.run()
                        })
                }
            }
        } catch {
            health.report("agent", .failed("\(error)"))
            telemetry.emit(Note("the agent stops: \(error)", level: .critical))
            throw error
        }
    }

    /// Asks `run` to end. May be called from any thread, more than once.
    public func stop() {
        isStopping.withLock { $0 = true }
        mailbox.post(.stop)
    }

    /// The cluster's id, waiting for a broker as long as it takes; nil where the agent was stopped meanwhile.
    private func findCluster() async throws -> String? {
        var backoff = Backoff()
        var isSaid = false
        while !isStopping.withLock({ $0 }) {
            do throws(ClientError) {
                return try await cluster.refresh([]).clusterID ?? ""
            } catch {
                if !isSaid { telemetry.emit(Note("waiting for a broker: \(error.message)", level: .warning)) }
                isSaid = true
                health.report("agent", .notReady("no broker: \(error.message)"))
                try await Task.sleep(for: backoff.next())
            }
        }
        return nil
    }
}

/// The agent's thread.
struct AgentLoop {
    private let agent: Agent
    private let core: ShippingCore
    private let inputs: [any Input]
    private let topics: ClusterTopics
    private let status: StatusPublisher
    private let condition: AgentCondition
    private let activity: SourceActivity
    private var watermark = Watermark()

    init(_ agent: Agent, _ binding: StateBinding, _ makeInputs: Agent.MakeInputs) throws {
        let (settings, telemetry, mailbox) = (agent.settings, agent.telemetry, agent.mailbox)
        let (log, recovery) = try IntentLog.open(settings.state, in: agent.fileSystem, settings: settings.intents)
        telemetry.emit(StateRecovered(recovery: recovery, path: settings.state.string))
        Self.report(log.binding, binding, telemetry)
        try log.bind(to: binding)
        let machine = ProducerMachine(
            settings: settings.producer, identity: log.producer == .none ? nil : log.producer, recovered: log.snapshots)
        let condition = AgentCondition(now: agent.time.now)
        let time = agent.time
        let sender = BatchSender(
            machine: machine, journal: log,
            transport: ClusterTransport(cluster: agent.cluster) { mailbox.post(.answer($0)) }
        ) { notice in
            let fact = ShippingFact(notice: notice)
            if fact.level >= .warning { condition.lastError = fact.message }
            if case .acknowledged = notice { condition.acknowledged(now: time.now) }
            telemetry.emit(fact)
        }
        topics = ClusterTopics(cluster: agent.cluster, time: agent.time) {
            mailbox.post(.wake)
        } onTrouble: { topic, error in
            mailbox.post(.failed("topic \(topic) can't be used: \(error.message)"))
        }
        inputs = try makeInputs(log.streams) { log.takeStreamID() }
        core = ShippingCore(
            inputs: inputs, assembler: BatchAssembler(settings: settings.seal), log: log, sender: sender, topics: topics
        ) { event in
            let fact = InputFact(event: event)
            if fact.level >= .warning { condition.lastError = fact.message }
            condition.told(event)
            telemetry.emit(fact)
        }
        status = StatusPublisher(cluster: agent.cluster, topic: settings.statusTopic)
        self.condition = condition
        activity = SourceActivity(log.counts)
        self.agent = agent
    }

    private static func report(_ old: StateBinding, _ new: StateBinding, _ telemetry: Telemetry) {
        if !old.machineID.isEmpty, old.machineID != new.machineID {
            telemetry.emit(
                Note(
                    "this state was made on another machine (a clone?): a new producer identity is taken",
                    level: .critical))
        }
        if !old.clusterID.isEmpty, old.clusterID != new.clusterID {
            telemetry.emit(
                Note(
                    "this state was made for cluster \(old.clusterID), this is \(new.clusterID): what is pending goes to the new one",
                    level: .critical))
        }
    }

    mutating func run() throws {
        let time = agent.time
        let heart = agent.health.heartbeat("the agent's loop", silenceMax: AgentCondition.loopSilenceMax)
        defer { agent.health.stopWatching(heart) }
        try core.start(now: time.now)
        var statusAt = time.now
        var stopAt: Instant?
        while true {
            let now = time.now
            let rest = try core.turn(now: now, wallTime: time.wallTime)
            if watermark.isWaitingForBatches { watermark.turned(core.progress, now: now) }
            condition.turned(pending: core.log.pendingCount, isStalled: rest.isStalled, now: now)
            if condition.flows(now: now) { heart.beat(now: now) }
            agent.health.report("agent", condition.status(troubles: agent.cluster.troubles, now: now))
            if statusAt <= now {
                publishStatus(isStalled: rest.isStalled)
                ProcessMemory.giveBack()
                statusAt = now + agent.settings.statusInterval
            }
            if stopAt == nil, core.hasReadAll {
                core.finish()
                stopAt = .distantFuture
                continue
            }
            if let stopAt, core.isDrained || stopAt <= now { break }
            // A topic that nobody asks for now (the log is full) must not keep the loop turning.
            let topicsAt = max(topics.nextDeadline, now + .milliseconds(100))
            let until = [rest.until, statusAt, topicsAt, stopAt ?? .distantFuture].min()!
            let messages = agent.mailbox.wait(for: until > now ? until - now : .zero, or: rest.wakes)
            let after = time.now
            for message in messages {
                switch message {
                case .answer(let answer):
                    condition.answered(now: after)
                    try core.answered(answer, now: after)
                case .wake: break
                case .failed(let text):
                    condition.lastError = text
                    agent.telemetry.emit(Note(text, level: .warning))
                case .stop:
                    stopAt = min(stopAt ?? .distantFuture, after + agent.settings.stopTimeout)
                    core.finish()
                }
            }
        }
        publishStatus(isStalled: false)
        for input in inputs { input.close() }
        let pending = core.log.pendingCount
        try core.log.close()
        agent.health.report("agent", .notReady("stopped"))
        agent.telemetry.emit(Note("the agent stopped; \(pending) batches wait for the next start"))
    }

    private mutating func publishStatus(isStalled: Bool) {
        let wallTime = agent.time.wallTime
        let log = core.log
        let streams = inputs.flatMap { $0.streamStatuses() }
        watermark.observed(streams, isBehind: inputs.contains(where: \.isBehind), wallTime: wallTime)
        let status = AgentStatus(
            agent: agent.settings.host, time: wallTime, producer: log.producer, pendingBatches: log.pendingCount,
            ringUsed: log.usedBytes, ringBytes: log.capacity, isStalled: isStalled,
            partitions: core.sender.machine.states, counts: log.counts.all,
            streams: streams, watermark: watermark.value, lastError: condition.lastError)
        let metrics = agent.telemetry.metrics
        for (source, lines) in activity.linesSince(log.counts) {
            metrics.counter(AgentMetrics.sourceLines, source.text).increment(by: lines)
        }
        metrics.gauge(AgentMetrics.pendingBatches).set(status.pendingBatches)
        metrics.gauge(AgentMetrics.ringUsed).set(status.ringUsed.bytes)
        metrics.gauge(AgentMetrics.ringSize).set(status.ringBytes.bytes)
        metrics.gauge(AgentMetrics.unread).set(
            Int(clamping: status.streams.reduce(Int64(0)) { $0 + ($1.unread ?? 0) }))
        let telemetry = agent.telemetry
        self.status.publish(key: agent.settings.host, value: status.json, time: wallTime) { error in
            guard let error else { return }
            telemetry.emit(Note("the status can't be published: \(error.message)", level: .debug))
        }
    }
}
