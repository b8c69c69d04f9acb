import Base
import KafkaClient
import KafkaConnection
import NIOCore
import NIOHTTP1
import Telemetry

/// The web console: a page, its JSON, and `/metrics`, `/healthz` and `/readyz` of the process it runs in, on one port.
///
/// It sees a cluster as any Kafka client does, so it works against any Kafka, and it only reads. `run` serves until its task is cancelled.
public struct Console: Sendable {
    private let settings: ConsoleSettings
    private let cluster: KafkaCluster
    private let telemetry: Telemetry
    private let health: Health
    private let group: any EventLoopGroup
    private let time: any TimeSource

    /// - Parameter cluster: of the console's own; its timeouts decide how long a page waits for a broker that is away.
    public init(
        settings: ConsoleSettings, cluster: KafkaCluster, telemetry: Telemetry, health: Health,
        on group: any EventLoopGroup, time: any TimeSource = SystemTime()
    ) {
        self.settings = settings
        self.cluster = cluster
        self.telemetry = telemetry
        self.health = health
        self.group = group
        self.time = time
    }

    /// Settings for the console's cluster: a browser doesn't wait a minute.
    public static func clusterSettings(_ cluster: ClusterSettings) -> ClusterSettings {
        var settings = cluster
        settings.retryTimeout = .seconds(5)
        return settings
    }

    /// - Parameter started: is told where it listens.
    /// - Throws: where the address can't be listened at.
    public func run(started: @Sendable (SocketAddress?) -> Void = { _ in }) async throws {
        let sampler = ClusterSampler(cluster: cluster, time: time)
        let statuses = StatusReader(cluster: cluster, topic: settings.statusTopic)
        let api = ConsoleAPI(
            cluster: cluster, settings: settings, time: time, sampler: sampler, statuses: statuses,
            nginx: NginxReader(cluster: cluster, settings: settings, time: time),
            searches: Slots(settings.limits.searchesMax), tails: Slots(settings.limits.tailsMax))
        let server = try await HTTPServer.start(settings: settings, on: group) { [telemetry, health] request in
            if request.path.hasPrefix("/api/") { return await api.answer(request) }
            return Self.page(request.path, telemetry: telemetry, health: health)
        }
        started(server.address)
        await withDiscardingTaskGroup { group in
            group.addTask { await sampler.run() }
            group.addTask { await statuses.run() }
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
            group.cancelAll()
        }
        await server.stop()
    }

    private static func page(_ path: String, telemetry: Telemetry, health: Health) -> Response {
        switch path {
        case "/metrics":
            var response = Response.text(telemetry.metrics.prometheusText(health: health))
            response.contentType = "text/plain; version=0.0.4; charset=utf-8"
            return response
        case "/healthz": return .text(health.text, status: health.isHealthy ? .ok : .serviceUnavailable)
        case "/readyz": return .text(health.text, status: health.isReady ? .ok : .serviceUnavailable)
        default:
            let name = path == "/" ? "index.html" : String(path.dropFirst())
            guard let asset = ConsoleAssets.all[name] else {
                return .text("nothing is at this address; the console is at /\n", status: .notFound)
            }
            return Response(
                contentType: asset.contentType, headers: [("cache-control", "no-cache")],
                body: .bytes(Array(asset.text.utf8)))
        }
    }
}

/// A file of `Assets/`, within the binary.
struct ConsoleAsset: Sendable {
    var contentType: String
    var text: String

    init(_ contentType: String, _ text: String) {
        self.contentType = contentType
        self.text = text
    }
}
