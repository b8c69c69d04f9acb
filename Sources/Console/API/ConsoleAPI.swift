import Base
import Events
import KafkaClient
import KafkaConnection
import NIOHTTP1

/// The page's JSON. Every call reads; nothing here changes the cluster.
struct ConsoleAPI: Sendable {
    let cluster: KafkaCluster
    let settings: ConsoleSettings
    let time: any TimeSource
    let sampler: ClusterSampler
    let statuses: StatusReader
    let nginx: NginxReader
    let searches: Slots
    let tails: Slots

    /// The answer for a path below `/api/`.
    func answer(_ request: Request) async -> Response {
        do {
            return try await route(request)
        } catch let error as RequestError {
            return .error(error)
        } catch let error as ClientError {
            let isMissing = error.kafkaError == .unknownTopicOrPartition
            return .error(RequestError(isMissing ? .notFound : .badGateway, error.message))
        } catch {
            return .error(RequestError(.internalServerError, "\(error)"))
        }
    }

    private func route(_ request: Request) async throws -> Response {
        switch request.path {
        case "/api/overview": return .json(await overview())
        case "/api/topics": return .json(await topics())
        case "/api/topic": return .json(try await topic(request.required("topic")))
        case "/api/records": return .json(try await records(request))
        case "/api/record": return .json(try await record(request))
        case "/api/record/raw": return try await rawRecord(request)
        case "/api/groups": return .json(await groups())
        case "/api/group": return .json(try await group(request.required("group")))
        case "/api/agents": return .json(await agents())
        case "/api/agent": return .json(try await agent(request.required("agent")))
        case "/api/pipelines": return .json(await pipelines())
        case "/api/nginx": return .json(try await nginx.fields())
        case "/api/tail": return try await tail(request)
        default: throw RequestError(.notFound, "nothing is at \(request.path)")
        }
    }

    /// What every page shows at its top.
    func common(_ picture: ClusterPicture) -> [Field] {
        [
            Field("time", .int(picture.time.milliseconds)),
            Field("cluster", picture.clusterID.map { .string($0) } ?? .null),
            Field("trouble", picture.trouble.map { .string($0) } ?? .null),
            Field("gaps", .object(picture.gaps.sorted { $0.key < $1.key }.map { Field($0.key, .string($0.value)) })),
        ]
    }

    /// The partitions of a topic that a request means: one, or all.
    func partitions(_ request: Request) async throws -> [TopicPartition] {
        let topic = try request.required("topic")
        let info = try await cluster.topicInfo(topic)
        guard let number = try request.number("partition") else {
            return info.partitions.map { TopicPartition(topic: topic, partition: $0.partition) }
        }
        guard let wanted = Int32(exactly: number), info.partition(wanted) != nil else {
            throw RequestError(.notFound, "topic \(topic) has no partition \(number)")
        }
        return [TopicPartition(topic: topic, partition: wanted)]
    }
}
