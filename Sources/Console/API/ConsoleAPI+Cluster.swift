import Base
import Events
import KafkaClient

extension ConsoleAPI {
    static let topicsShown = 8

    func overview() async -> [Field] {
        let picture = await sampler.watch()
        let points = picture.points.last
        let busiest = picture.topics.filter { !$0.isInternal }
            .sorted { ($1.linesPerSecond, $1.records) < ($0.linesPerSecond, $0.records) }.prefix(Self.topicsShown)
        let agents = await statuses.reports(kind: "agent")
        func list(_ value: (ClusterPoint) -> Double?) -> Value { .list(points.map { Self.rounded(value($0)) }) }
        let plots = [
            Field("time", .list(points.map { Value.int($0.time.milliseconds) })),
            Field("lines", list { $0.linesPerSecond }), Field("bytes", list { $0.bytesPerSecond }),
            Field("delay", list { $0.delaySeconds }), Field("lag", list { Double($0.lag) }),
        ]
        let brokers = picture.brokers.map { broker -> Value in
            .object([
                Field("id", .int(Int64(broker.id.rawValue))), Field("address", .string("\(broker.address)")),
            ])
        }
        let behind = picture.groups.sorted { ($1.lag, $0.name) < ($0.lag, $1.name) }.prefix(Self.topicsShown)
        let partitions = picture.topics.reduce(0) { $0 + $1.partitionCount }
        let bytes = picture.topics.reduce(Int64(0)) { $0 + ($1.bytes ?? 0) }
        let leaderless = picture.topics.reduce(0) { $0 + $1.leaderless }
        var fields = common(picture)
        fields.append(Field("points", .object(plots)))
        fields.append(Field("brokers", .list(brokers)))
        fields.append(Field("topics_total", .int(Int64(picture.topics.count(where: { !$0.isInternal })))))
        fields.append(Field("partitions_total", .int(Int64(partitions))))
        fields.append(Field("bytes_total", .int(bytes)))
        fields.append(Field("leaderless", .int(Int64(leaderless))))
        fields.append(Field("topics", .list(busiest.map { Value.object(Self.fields($0)) })))
        fields.append(Field("groups", .list(behind.map { Value.object(Self.fields($0, withHistory: false)) })))
        fields.append(Field("groups_total", .int(Int64(picture.groups.count))))
        fields.append(Field("agents_total", .int(Int64(agents.count))))
        fields.append(Field("agents_silent", .int(Int64(agents.count(where: { isSilent($0.report) })))))
        return fields
    }

    static func rounded(_ number: Double?) -> Value {
        guard let number, number.isFinite else { return .null }
        let rounded = (number * 1_000).rounded() / 1_000
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? .int(Int64(rounded)) : .double(rounded)
    }

    static func fields(_ topic: TopicPicture) -> [Field] {
        [
            Field("name", .string(topic.name)), Field("internal", .bool(topic.isInternal)),
            Field("partitions", .int(Int64(topic.partitionCount))), Field("records", .int(topic.records)),
            Field("bytes", topic.bytes.map { .int($0) } ?? .null), Field("rate", rounded(topic.linesPerSecond)),
            Field("retention", topic.retention.map { .string($0) } ?? .null),
            Field("cleanup", topic.cleanup.map { .string($0) } ?? .null),
            Field("leaderless", .int(Int64(topic.leaderless))),
        ]
    }

    static func fields(_ group: GroupPicture, withHistory: Bool) -> [Field] {
        var fields = [
            Field("name", .string(group.name)), Field("state", .string(group.state)), Field("lag", .int(group.lag)),
            Field("delay", rounded(group.delaySeconds)), Field("topics", .list(group.topics.map { .string($0) })),
        ]
        if withHistory {
            let points = group.history.last
            fields += [
                Field("history_time", .list(points.map { .int($0.time.milliseconds) })),
                Field("history_lag", .list(points.map { .int($0.lag) })),
            ]
        }
        return fields
    }

    func topics() async -> [Field] {
        let picture = await sampler.watch()
        return common(picture) + [Field("topics", .list(picture.topics.map { .object(Self.fields($0)) }))]
    }

    func topic(_ name: String) async throws -> [Field] {
        let picture = await sampler.watch()
        let admin = Admin(cluster)
        let info = try await admin.describeTopic(name)
        let led = info.partitions.filter { $0.leader != nil }
            .map { TopicPartition(topic: name, partition: $0.partition) }
        let starts = try await admin.listOffsets(Dictionary(uniqueKeysWithValues: led.map { ($0, .earliest) }))
        let ends = try await admin.listOffsets(Dictionary(uniqueKeysWithValues: led.map { ($0, .latest) }))
        let sizes = (try? await admin.partitionSizes()) ?? [:]
        let configs = (try? await admin.describeConfigs(topic: name)) ?? []
        let rows = info.partitions.map { partition -> Value in
            let id = TopicPartition(topic: name, partition: partition.partition)
            return .object([
                Field("partition", .int(Int64(partition.partition))),
                Field("leader", partition.leader.map { .int(Int64($0.rawValue)) } ?? .null),
                Field("replicas", .int(Int64(partition.replicas.count))),
                Field("in_sync", .int(Int64(partition.inSync.count))),
                Field("first", starts[id].map { .int($0.offset.rawValue) } ?? .null),
                Field("end", ends[id].map { .int($0.offset.rawValue) } ?? .null),
                Field("bytes", sizes[id].map { .int(Int64($0.bytes)) } ?? .null),
            ])
        }
        return common(picture) + [
            Field("name", .string(name)),
            Field("picture", picture.topics.first { $0.name == name }.map { .object(Self.fields($0)) } ?? .null),
            Field("partitions", .list(rows)),
            Field(
                "configs",
                .list(
                    configs.map {
                        .object([
                            Field("name", .string($0.name)), Field("value", $0.value.map { .string($0) } ?? .null),
                            Field("default", .bool($0.isDefault)),
                        ])
                    })),
            Field(
                "groups", .list(picture.groups.filter { $0.topics.contains(name) }.map { .string($0.name) })),
        ]
    }

    func groups() async -> [Field] {
        let picture = await sampler.watch()
        return common(picture) + [
            Field("groups", .list(picture.groups.map { .object(Self.fields($0, withHistory: false)) }))
        ]
    }

    func group(_ name: String) async throws -> [Field] {
        let picture = await sampler.watch()
        let admin = Admin(cluster)
        let description = try await admin.describeGroup(name)
        guard description.state != "Dead" else { throw RequestError(.notFound, "there is no group '\(name)'") }
        let committed = try await admin.committedOffsets(group: name)
        var holders: [TopicPartition: String] = [:]
        for member in description.members {
            for partition in member.assigned { holders[partition] = member.clientID }
        }
        let partitions = Set(committed.keys).union(holders.keys).sorted().prefix(2_000)
        var rows: [Value] = []
        for partition in partitions {
            let offset = committed[partition]?.offset.rawValue
            let end = await sampler.end(of: partition)
            var lag: Value = .null
            if let offset, let end { lag = .int(max(0, end - offset)) }
            rows.append(
                .object([
                    Field("topic", .string(partition.topic)), Field("partition", .int(Int64(partition.partition))),
                    Field("committed", offset.map { .int($0) } ?? .null), Field("end", end.map { .int($0) } ?? .null),
                    Field("lag", lag), Field("member", holders[partition].map { .string($0) } ?? .null),
                ]))
        }
        let members = description.members.prefix(500).map { member -> Value in
            .object([
                Field("id", .string(member.memberID)), Field("client", .string(member.clientID)),
                Field("host", .string(member.host)), Field("partitions", .int(Int64(member.assigned.count))),
            ])
        }
        return common(picture) + [
            Field("name", .string(name)), Field("state", .string(description.state)),
            Field("assignor", .string(description.assignor)), Field("members", .list(members)),
            Field("partitions", .list(rows)),
            Field(
                "picture",
                picture.groups.first { $0.name == name }.map { .object(Self.fields($0, withHistory: true)) } ?? .null),
        ]
    }
}
