import AgentCommands
import Base
import KafkaClient
import Pipelines
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#endif

/// A line that is written anew every second on a terminal, every ten seconds elsewhere: what was shipped, and what was exported.
struct ProgressLine: Service {
    let cluster: KafkaCluster
    let topics: [String]
    let pipelines: [PipelineRuntime]

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            let isTerminal = isatty(1) == 1
            var last: Int64 = 0
            while !Task.isCancelled {
                try await Task.sleep(for: isTerminal ? .seconds(1) : .seconds(10))
                let records = await recordCount()
                let rows = pipelines.reduce(0) { $0 + $1.rowCount }
                let rate = (records - last) / (isTerminal ? 1 : 10)
                last = records
                let text = "\(records) records shipped (\(rate)/s), \(rows) rows exported since the start"
                printNow(isTerminal ? "\r\u{1b}[K\(text)" : text, terminator: isTerminal ? "" : "\n")
            }
        }
    }

    private func recordCount() async -> Int64 {
        var count: Int64 = 0
        for topic in topics {
            guard let info = try? await cluster.topicInfo(topic) else { continue }
            let partitions = info.partitions.map { TopicPartition(topic: topic, partition: $0.partition) }
            let ends = try? await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
            count += ends?.values.reduce(0) { $0 + $1.offset.rawValue } ?? 0
        }
        return count
    }
}

/// A service that is cancelled when the process is told to stop.
struct CancelledService: Service {
    let body: @Sendable () async throws -> Void

    init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await body() }
        } catch is CancellationError {
            // That is how it ends.
        }
    }
}
