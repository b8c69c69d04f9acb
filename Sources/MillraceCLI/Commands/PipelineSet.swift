import AgentCommands
import KafkaClient
import NIOCore
import Pipelines
import Telemetry

/// Pipelines that run in one process from one reading of their files; where one ends, all do.
struct PipelineSet: Sendable {
    private let members: [(runtime: PipelineRuntime, cluster: KafkaCluster)]
    private let health: Health

    /// - Parameters:
    ///   - broker: where a file names none.
    ///   - client: where a file says nothing of how to connect.
    init(
        _ pipelines: [PipelineSettings], broker: String?, client: ClientConfigSource, telemetry: Telemetry,
        health: Health,
        on group: any EventLoopGroup
    ) throws {
        members = try pipelines.map { settings in
            let cluster = KafkaCluster(
                settings: try client.settings(
                    file: settings.bootstrap, option: broker, security: settings.security),
                on: group, telemetry: telemetry)
            return (
                PipelineRuntime(settings: settings, cluster: cluster, telemetry: telemetry, health: health), cluster
            )
        }
        self.health = health
    }

    var work: ReloadableService.Work { ReloadableService.Work(run: run, stop: stop) }

    @Sendable private func run() async throws {
        defer {
            for member in members {
                member.cluster.shutDown()
                health.forget(member.runtime.settings.name)
            }
        }
        health.started()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for member in members { group.addTask { try await member.runtime.run() } }
            // Where one has failed the others commit what they have and end too: the process is started again whole.
            var failure: (any Error)?
            while let result = await group.nextResult() {
                if case .failure(let error) = result, failure == nil {
                    failure = error
                    stop()
                }
            }
            if let failure { throw failure }
        }
    }

    @Sendable private func stop() { for member in members { member.runtime.stop() } }
}
