import Base
import Events
import KafkaClient
import Records

/// What the nginx page shows, counted over the newest lines of the topic.
struct NginxOverview: Sendable {
    static let linesMax = 50_000
    static let window = Duration.seconds(900)
    static let bucketSeconds: Int64 = 15
    static let pathsMax = 5_000
    static let pathsShown = 15

    private(set) var lineCount = 0
    /// Lines of another shape than `combined` (or JSON).
    private(set) var unparsed = 0
    /// By status class, 1xx to 5xx: a count for each bucket.
    private(set) var classes: [Int: [Int]] = [:]
    private(set) var bytes: Int64 = 0
    private(set) var paths: [String: (count: Int, errors: Int)] = [:]
    private(set) var latencies: [Double] = []
    let begin: Timestamp
    let bucketCount: Int

    init(now: Timestamp) {
        let step = Self.bucketSeconds * 1_000
        bucketCount = Int(Self.window / .seconds(Self.bucketSeconds))
        begin = Timestamp(milliseconds: (now.milliseconds / step + 1 - Int64(bucketCount)) * step)
    }

    mutating func lineSeen(_ event: Event?, time: Timestamp) {
        lineCount += 1
        guard let event, let status = Self.number(event["status"]) else {
            unparsed += 1
            return
        }
        let group = Int(status) / 100
        let bucket = Int((time.milliseconds - begin.milliseconds) / (Self.bucketSeconds * 1_000))
        if (1...5).contains(group), (0..<bucketCount).contains(bucket) {
            classes[group, default: Array(repeating: 0, count: bucketCount)][bucket] += 1
        }
        bytes += Int64(Self.number(event["body_bytes_sent"]) ?? Self.number(event["bytes_sent"]) ?? 0)
        if let seconds = Self.number(event["request_time"]) { latencies.append(seconds) }
        if let path = Self.path(event), paths[path] != nil || paths.count < Self.pathsMax {
            paths[path, default: (0, 0)].count += 1
            if status >= 500 { paths[path, default: (0, 0)].errors += 1 }
        }
    }

    private static func number(_ value: Value) -> Double? {
        switch value {
        case .int(let number): Double(number)
        case .double(let number): number
        case .string(let text): Double(text)
        case .null, .bool, .timestamp, .list, .object: nil
        }
    }

    /// The request's path without its query.
    private static func path(_ event: Event) -> String? {
        if case .string(let uri) = event["uri"] { return String(uri.prefix(200)) }
        guard case .string(let request) = event["request"] else { return nil }
        let words = request.split(separator: " ", maxSplits: 2)
        guard words.count >= 2 else { return nil }
        return String(words[1].prefix { $0 != "?" }.prefix(200))
    }

    var fields: [Field] {
        let sorted = latencies.sorted()
        func percentile(_ share: Double) -> Value {
            guard !sorted.isEmpty else { return .null }
            return .double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
        }
        let top = paths.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.prefix(Self.pathsShown)
        let counts = classes.sorted { $0.key < $1.key }.map { group, counts in
            Field("\(group)xx", .list(counts.map { Value.int(Int64($0)) }))
        }
        let rows = top.map { path, seen -> Value in
            .object([
                Field("path", .string(path)), Field("count", .int(Int64(seen.count))),
                Field("errors", .int(Int64(seen.errors))),
            ])
        }
        return [
            Field("lines", .int(Int64(lineCount))), Field("unparsed", .int(Int64(unparsed))),
            Field("bytes", .int(bytes)), Field("begin", .int(begin.milliseconds)),
            Field("step_seconds", .int(Self.bucketSeconds)),
            Field("classes", .object(counts)),
            Field("p50", percentile(0.5)), Field("p90", percentile(0.9)), Field("p99", percentile(0.99)),
            Field("paths", .list(rows)),
        ]
    }
}

/// Reads the topic for the nginx page, at most once in five seconds however many look.
actor NginxReader {
    static let cachedFor = Duration.seconds(5)

    private let cluster: KafkaCluster
    private let settings: ConsoleSettings
    private let time: any TimeSource
    private var cached: (at: Instant, fields: [Field])?
    private var reading: Task<[Field], any Error>?

    init(cluster: KafkaCluster, settings: ConsoleSettings, time: any TimeSource) {
        self.cluster = cluster
        self.settings = settings
        self.time = time
    }

    func fields() async throws -> [Field] {
        if let cached, time.now < cached.at + Self.cachedFor { return cached.fields }
        if let reading { return try await reading.value }
        let task = Task { [cluster, settings, now = time.wallTime] in
            try await Self.read(cluster, settings, now: now)
        }
        reading = task
        defer { reading = nil }
        let fields = try await task.value
        cached = (time.now, fields)
        return fields
    }

    private static func read(
        _ cluster: KafkaCluster, _ settings: ConsoleSettings, now: Timestamp
    ) async throws -> [Field] {
        let info = try await cluster.topicInfo(settings.nginxTopic)
        let partitions = info.partitions.map { TopicPartition(topic: info.name, partition: $0.partition) }
        var overview = NginxOverview(now: now)
        let ends = try await cluster.offsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
        let begins = try await cluster.offsets(
            Dictionary(uniqueKeysWithValues: partitions.map { ($0, .timestamp(overview.begin)) }))
        var open: [TopicPartition: Int64] = [:]
        var positions: [TopicPartition: StartPosition] = [:]
        for partition in partitions {
            guard let begin = begins[partition]?.offset.rawValue, let end = ends[partition]?.offset.rawValue,
                begin >= 0, begin < end
            else { continue }
            open[partition] = end
            let share = Int64(NginxOverview.linesMax / partitions.count)
            positions[partition] = .offset(Offset(max(begin, end - share)))
        }
        guard !open.isEmpty else { return overview.fields }
        var fetch = FetchSettings()
        fetch.queueBytesMax = .mib(4)
        fetch.responseBytesMax = .mib(4)
        let reader = PartitionReader(cluster: cluster, partitions: positions, settings: fetch)
        let watchdog = Task { [limit = settings.limits.searchTimeMax] in
            try await Task.sleep(for: limit)
            reader.close()
        }
        defer { watchdog.cancel() }
        let parser = DisplayParser(topic: "nginx.access")
        try await reader.run { data in
            for batch in data.batches {
                var records = try batch.records(decompressedMax: settings.limits.decompressedMax)
                while let record = try records.next() {
                    guard record.offset >= data.startOffset, let value = record.value else { continue }
                    let event = value.withUnsafeReadableBytes { parser.parsed($0) }
                    overview.lineSeen(event, time: record.timestamp)
                }
            }
            if let end = open[data.partition], data.nextOffset.rawValue >= end { open[data.partition] = nil }
            return !open.isEmpty
        }
        return overview.fields
    }
}
