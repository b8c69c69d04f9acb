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

    /// - Parameter cluster: shut down by whoever made it, after `run` returned.
    public init(
        settings: PipelineSettings, cluster: KafkaCluster, fileSystem: any FileSystem = PosixFileSystem(),
        time: any TimeSource = SystemTime(), telemetry: Telemetry = .silent
    ) {
        self.settings = settings
        self.cluster = cluster
        var consumerSettings = GroupConsumerSettings(group: settings.group, topics: settings.topics)
        consumerSettings.reset = settings.start == .earliest ? .earliest : .latest
        consumer = GroupConsumer(cluster: cluster, settings: consumerSettings)
        member = PipelineMember(
            settings: settings, cluster: cluster, consumer: consumer, fileSystem: fileSystem, time: time,
            telemetry: telemetry)
    }

    /// Returns after `stop()`, with everything that was read committed; throws what a person has to mend.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (consumer, member) = (consumer, member)
            group.addTask { try await consumer.run(member) }
            group.addTask {
                while !Task.isCancelled {
                    do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
                    do { try await member.tick() } catch {
                        member.failed(error)
                        consumer.stop()
                        return
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
