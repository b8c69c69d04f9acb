import Base
import Exports
import KafkaClient
import KafkaConnection
import NIOCore
import Synchronization
import Telemetry

/// Runs one pipeline as a member of its group, until it is stopped or something needs a person.
public final class PipelineRuntime: Sendable {
    public let settings: PipelineSettings
    private let cluster: KafkaCluster
    private let consumer: GroupConsumer
    private let member: PipelineMember
    private let health: Health
    private let time: any TimeSource

    /// A commit to a slow store may take minutes; a tick that takes longer than this hangs.
    static let tickSilenceMax = Duration.seconds(600)

    /// - Parameters:
    ///   - cluster: shut down by whoever made it, after `run` returned.
    ///   - health: told under the pipeline's name whether it is a member of its group, and why not.
    public init(
        settings: PipelineSettings, cluster: KafkaCluster, fileSystem: any FileSystem = PosixFileSystem(),
        time: any TimeSource = SystemTime(), telemetry: Telemetry = .silent, health: Health = Health()
    ) {
        self.time = time
        self.settings = settings
        self.cluster = cluster
        self.health = health
        var consumerSettings = GroupConsumerSettings(group: settings.group, topics: settings.topics)
        consumerSettings.reset = settings.start == .earliest ? .earliest : .latest
        consumer = GroupConsumer(cluster: cluster, settings: consumerSettings)
        member = PipelineMember(
            settings: settings, cluster: cluster, consumer: consumer, fileSystem: fileSystem, time: time,
            telemetry: telemetry)
    }

    /// Returns after `stop()`, with everything that was read committed; throws what a person has to mend.
    public func run() async throws {
        let heart = health.heartbeat("pipeline \(settings.name)", silenceMax: Self.tickSilenceMax)
        defer { health.stopWatching(heart) }
        await reportHealth()
        do {
            try await work(heart)
            health.report(settings.name, .notReady("stopped"))
        } catch {
            health.report(settings.name, .failed("\(error)"))
            throw error
        }
    }

    private func reportHealth() async {
        if consumer.generation != nil { return health.report(settings.name, await member.status) }
        // A broker that can't be reached explains more than the group that waits for it.
        let troubles = [consumer.trouble].compactMap(\.self) + cluster.troubles.filter { $0.hasPrefix("broker ") }
        let reason = troubles.isEmpty ? "" : ": " + troubles.joined(separator: "; ")
        health.report(settings.name, .notReady("not a member of group \(settings.group) now\(reason)"))
    }

    private func work(_ heart: Heartbeat) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (consumer, member, time) = (consumer, member, time)
            group.addTask { try await consumer.run(member) }
            group.addTask {
                while !Task.isCancelled {
                    do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
                    do {
                        await self.reportHealth()
                        try await member.tick()
                        heart.beat(now: time.now)
                    } catch {
                        member.failed(error)
                        consumer.stop()
                        return
                    }
                }
            }
            if let interval = member.markerInterval {
                group.addTask {
                    while !Task.isCancelled {
                        await member.keepMarkers()
                        do { try await Task.sleep(for: interval) } catch { return }
                    }
                }
            }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
        if let failure = member.failure { throw failure }
    }

    /// Commits what was read, gives the partitions back and lets `run` return.
    public func stop() { consumer.stop() }

    /// Rows handed to the sinks so far.
    public var rowCount: Int { member.rowCount }
}
