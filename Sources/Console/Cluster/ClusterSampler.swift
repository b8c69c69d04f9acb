import Base
import KafkaClient
import KafkaConnection

/// Looks at the cluster every two seconds while somebody watches and every ten seconds else, and keeps the last points for the plots.
///
/// What it asks does not depend on how many browsers are open. Ends are one ListOffsets per broker; sizes, settings, the list of groups and
/// metadata are asked for less often.
actor ClusterSampler {
    static let watchedInterval = Duration.seconds(2)
    static let idleInterval = Duration.seconds(10)
    static let watchedFor = Duration.seconds(20)
    static let partitionsMax = 20_000
    static let groupsMax = 200
    /// Groups whose offsets are asked for in one look; where there are more they take turns.
    static let groupsPerLook = 20
    /// Partitions whose records' ages are known; the delay of others counts as none.
    static let historiesMax = 2_000
    /// What is looked at more seldom than the ends.
    static let slowInterval = Duration.seconds(30)
    /// The same in a small cluster, whose owner waits for a first topic to appear.
    static let slowIntervalOfFew = Duration.seconds(4)
    static let few = 200
    static let sizesInterval = Duration.seconds(10)

    private let cluster: KafkaCluster
    private let time: any TimeSource
    private var picture = ClusterPicture()
    private var watchedAt: Instant?
    private var sampledAt: Instant?
    private var slowAt: Instant?
    private var sizesAt: Instant?
    private var view = ClusterView()
    private var starts: [TopicPartition: Int64] = [:]
    private var ends: [TopicPartition: Int64] = [:]
    private var sizes: [TopicPartition: Int64] = [:]
    private var retention: [String: [ConfigEntry]] = [:]
    private var groups: [GroupListing] = []
    private var groupsAt: Instant?
    private var groupTurn = 0
    private var committed: [String: [TopicPartition: Int64]] = [:]
    private var histories: [TopicPartition: EndHistory] = [:]

    init(cluster: KafkaCluster, time: any TimeSource) {
        self.cluster = cluster
        self.time = time
    }

    /// What is known now; tells the sampler that somebody looks. Waits for the very first look.
    func watch() async -> ClusterPicture {
        watchedAt = time.now
        while picture.time == .none, picture.trouble == nil, !Task.isCancelled {
            if sampledAt == nil { await sample() } else { try? await Task.sleep(for: .milliseconds(20)) }
        }
        return picture
    }

    /// Committed offsets' ages need the ends; the groups page asks for one partition at a time.
    func end(of partition: TopicPartition) -> Int64? { ends[partition] }

    func run() async {
        while !Task.isCancelled {
            let now = time.now
            let isWatched = watchedAt.map { now < $0 + Self.watchedFor } ?? false
            let interval = isWatched ? Self.watchedInterval : Self.idleInterval
            if sampledAt.map({ now >= $0 + interval }) ?? true { await sample() }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// One look. What fails leaves the old picture standing, with the reason.
    private func sample() async {
        let before = sampledAt
        sampledAt = time.now
        do throws(ClientError) {
            try await lookAtSlowThings()
            let previousEnds = ends
            try await lookAtEnds()
            let grown = try await lookAtSizes()
            try await lookAtGroups()
            draw(previousEnds: previousEnds, seconds: before.map { Self.seconds(time.now - $0) }, bytesGrown: grown)
            picture.trouble = nil
        } catch {
            picture.trouble = "\(error)"
        }
    }

    private static func seconds(_ duration: Duration) -> Double { Double(duration.nanoseconds) / 1e9 }

    private func isDue(_ at: Instant?, _ interval: Duration) -> Bool { at.map { time.now >= $0 + interval } ?? true }

    // MARK: Asking

    private func lookAtSlowThings() async throws(ClientError) {
        guard isDue(slowAt, ends.count <= Self.few ? Self.slowIntervalOfFew : Self.slowInterval) else { return }
        view = try await cluster.refresh(nil)
        let admin = Admin(cluster)
        let names = view.topics.keys.sorted()
        do {
            retention = try await admin.describeConfigs(topics: names, names: ["retention.ms", "cleanup.policy"])
            picture.gaps["settings"] = nil
        } catch { picture.gaps["settings"] = "\(error)" }
        starts = try await cluster.offsets(queries(.earliest), isolation: .readUncommitted).mapValues(\.offset.rawValue)
        slowAt = time.now
    }

    private func queries(_ query: OffsetQuery) -> [TopicPartition: OffsetQuery] {
        var queries: [TopicPartition: OffsetQuery] = [:]
        for topic in view.topics.values.sorted(by: { $0.name < $1.name }) {
            for partition in topic.partitions where partition.leader != nil {
                guard queries.count < Self.partitionsMax else { return queries }
                queries[TopicPartition(topic: topic.name, partition: partition.partition)] = query
            }
        }
        return queries
    }

    private func lookAtEnds() async throws(ClientError) {
        do {
            ends = try await cluster.offsets(queries(.latest), isolation: .readUncommitted).mapValues(\.offset.rawValue)
        } catch {
            // A topic that was deleted: look at all of them anew next time.
            slowAt = nil
            throw error
        }
        let now = time.wallTime
        for partition in histories.keys {
            guard let end = ends[partition] else {
                histories[partition] = nil
                continue
            }
            histories[partition]?.endSeen(end, now: now)
        }
    }

    /// How many bytes logs grew by in a second since sizes were last asked for; nil where that is not now.
    private func lookAtSizes() async throws(ClientError) -> Double? {
        guard isDue(sizesAt, Self.sizesInterval) || ends.count <= Self.few else { return nil }
        let before = sizesAt
        let new: [TopicPartition: Int64]
        do {
            new = try await Admin(cluster).partitionSizes().mapValues { Int64($0.bytes) }
            picture.gaps["sizes"] = nil
        } catch {
            // Brokers may refuse this to all but operators; the rest of the picture stands.
            guard error.code == .unsupportedVersion || error.kafkaError != nil else { throw error }
            picture.gaps["sizes"] = "\(error)"
            return nil
        }
        let old = sizes
        sizes = new
        sizesAt = time.now
        guard let before else { return nil }
        let grown = new.reduce(Int64(0)) { sum, entry in
            guard !Self.isHidden(entry.key.topic) else { return sum }
            return sum + max(0, entry.value - (old[entry.key] ?? 0))
        }
        return Double(grown) / max(Self.seconds(time.now - before), 0.001)
    }

    private func lookAtGroups() async throws(ClientError) {
        try await listGroups()
        let admin = Admin(cluster)
        for place in 0..<min(groups.count, Self.groupsPerLook) {
            let name = groups[(groupTurn + place) % groups.count].group
            // A group that can't be read keeps what was known of it.
            guard let offsets = try? await admin.committedOffsets(group: name) else { continue }
            committed[name] = offsets.mapValues(\.offset.rawValue)
        }
        groupTurn = groups.isEmpty ? 0 : (groupTurn + Self.groupsPerLook) % groups.count
        drawGroups(now: time.wallTime)
    }

    private func listGroups() async throws(ClientError) {
        guard isDue(groupsAt, Self.sizesInterval) else { return }
        do {
            groups = Array(
                try await Admin(cluster).listGroups()
                    .filter { $0.protocolType == "consumer" || $0.protocolType.isEmpty }.prefix(Self.groupsMax))
            picture.gaps["groups"] = nil
        } catch {
            guard error.code == .unsupportedVersion || error.kafkaError != nil else { throw error }
            picture.gaps["groups"] = "\(error)"
            groups = []
        }
        groupsAt = time.now
        let names = Set(groups.map(\.group))
        committed = committed.filter { names.contains($0.key) }
    }

    private func drawGroups(now: Timestamp) {
        let known = Dictionary(picture.groups.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        picture.groups = groups.map { group in
            let offsets = committed[group.group] ?? [:]
            var lag: Int64 = 0
            var delay = 0.0
            for (partition, offset) in offsets {
                guard let end = ends[partition] else { continue }
                lag += max(0, end - offset)
                if histories[partition] == nil, histories.count < Self.historiesMax {
                    histories[partition] = EndHistory()
                    histories[partition]?.endSeen(end, now: now)
                }
                delay = max(delay, histories[partition]?.age(of: offset, now: now) ?? 0)
            }
            var history = known[group.group]?.history ?? Ring(countMax: ClusterPicture.pointsMax)
            history.append((now, lag))
            return GroupPicture(
                name: group.group, state: group.state, lag: lag, delaySeconds: delay,
                topics: Set(offsets.keys.map(\.topic)).sorted(), history: history)
        }
    }

    // MARK: Drawing

    /// Topics that hold the machinery's own records, not lines.
    static func isHidden(_ topic: String) -> Bool { topic.hasPrefix("__") }

    private func draw(previousEnds: [TopicPartition: Int64], seconds: Double?, bytesGrown: Double?) {
        picture.time = time.wallTime
        picture.clusterID = view.clusterID
        picture.brokers = view.brokers.values.sorted { $0.id < $1.id }
        var lines = 0.0
        picture.topics = view.topics.values.sorted { $0.name < $1.name }.map { topic in
            var grown: Int64 = 0
            var records: Int64 = 0
            var bytes: Int64?
            for info in topic.partitions {
                let partition = TopicPartition(topic: topic.name, partition: info.partition)
                if let size = sizes[partition] { bytes = (bytes ?? 0) + size }
                guard let end = ends[partition] else { continue }
                records += max(0, end - (starts[partition] ?? 0))
                if let previous = previousEnds[partition] { grown += max(0, end - previous) }
            }
            let rate = seconds.map { Double(grown) / max($0, 0.001) } ?? 0
            if !Self.isHidden(topic.name) { lines += rate }
            let settings = retention[topic.name] ?? []
            return TopicPicture(
                name: topic.name, isInternal: topic.isInternal || Self.isHidden(topic.name),
                partitionCount: topic.partitions.count, records: records, bytes: bytes, linesPerSecond: rate,
                retention: settings.first { $0.name == "retention.ms" }?.value,
                cleanup: settings.first { $0.name == "cleanup.policy" }?.value,
                leaderless: topic.partitions.filter { $0.leader == nil }.count)
        }
        guard seconds != nil else { return }
        picture.points.append(
            ClusterPoint(
                time: picture.time, linesPerSecond: lines, bytesPerSecond: bytesGrown,
                delaySeconds: picture.groups.map(\.delaySeconds).max(),
                lag: picture.groups.reduce(0) { $0 + $1.lag }))
    }
}
