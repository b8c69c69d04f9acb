import Base
import KafkaClient
import Records

/// One search through a topic, within the limits. Forward it stops at the first rows; backward it takes windows from the end, each four times the last.
struct RecordSearch {
    enum Start {
        case newest
        case earliest
        case offset(Int64)
        case time(Timestamp)
    }

    /// Why a search ended.
    enum End: String { case complete, rows, records, bytes, time }

    let cluster: KafkaCluster
    let limits: ConsoleSettings.Limits
    let time: any TimeSource
    let topic: String
    let partitions: [TopicPartition]
    let start: Start
    let filter: RecordFilter
    let rowsMax: Int

    private(set) var rows: [RecordRow] = []
    private(set) var recordCount = 0
    private(set) var byteCount = 0
    private(set) var end = End.complete
    /// Where a forward search of one partition goes on.
    private(set) var next: Int64?
    private var deadline = Instant.zero

    init(
        cluster: KafkaCluster, limits: ConsoleSettings.Limits, time: any TimeSource, topic: String,
        partitions: [TopicPartition], start: Start, filter: RecordFilter, rowsMax: Int
    ) {
        self.cluster = cluster
        self.limits = limits
        self.time = time
        self.topic = topic
        self.partitions = partitions
        self.start = start
        self.filter = filter
        self.rowsMax = rowsMax
    }

    mutating func run() async throws {
        deadline = time.now + limits.searchTimeMax
        let firsts = try await look(.earliest)
        let ends = try await look(.latest)
        switch start {
        case .newest: try await readBackward(firsts: firsts, ends: ends)
        case .earliest: try await readForward(from: firsts, to: ends)
        case .offset(let offset):
            var begins = firsts.mapValues { max($0, offset) }
            for (partition, end) in ends { begins[partition] = min(begins[partition] ?? 0, end) }
            try await readForward(from: begins, to: ends)
        case .time(let timestamp):
            var begins = try await look(.timestamp(timestamp))
            // −1: no record is that late.
            for (partition, begin) in begins where begin < 0 { begins[partition] = ends[partition] }
            try await readForward(from: begins, to: ends)
        }
        rows.sort { ($0.time, $0.partition, $0.offset) < ($1.time, $1.partition, $1.offset) }
        if case .newest = start {
            rows = Array(rows.suffix(rowsMax).reversed())
        } else {
            rows = Array(rows.prefix(rowsMax))
        }
    }

    private func look(_ query: OffsetQuery) async throws -> [TopicPartition: Int64] {
        try await cluster.offsets(
            Dictionary(uniqueKeysWithValues: partitions.map { ($0, query) }), isolation: .readCommitted
        ).mapValues(\.offset.rawValue)
    }

    private mutating func readForward(
        from begins: [TopicPartition: Int64], to ends: [TopicPartition: Int64]
    ) async throws {
        // With several partitions each may bring all the rows: the earliest of all are then taken.
        try await read(from: begins, to: ends, keepsLast: false)
        if partitions.count == 1, end != .complete { next = rows.last.map { $0.offset + 1 } ?? next }
    }

    private mutating func readBackward(
        firsts: [TopicPartition: Int64], ends: [TopicPartition: Int64]
    ) async throws {
        var uppers = ends
        var window = Int64(filter.isOpen ? rowsMax : max(rowsMax, 5_000))
        while rows.count < rowsMax, end == .complete {
            var lowers: [TopicPartition: Int64] = [:]
            for (partition, upper) in uppers { lowers[partition] = max(firsts[partition] ?? 0, upper - window) }
            guard lowers.contains(where: { $0.value < uppers[$0.key] ?? 0 }) else { return }
            try await read(from: lowers, to: uppers, keepsLast: true)
            uppers = lowers
            window = min(window * 4, 200_000)
        }
        if end == .complete { end = .rows }
    }

    /// Reads from `begins` up to `ends`, which is not read. `keepsLast` keeps the last rows of each partition, else the first.
    private mutating func read(
        from begins: [TopicPartition: Int64], to ends: [TopicPartition: Int64], keepsLast: Bool
    ) async throws {
        var open = begins.filter { $0.value < ends[$0.key] ?? 0 }
        guard !open.isEmpty else { return }
        var settings = FetchSettings()
        settings.queueBytesMax = .mib(4)
        settings.responseBytesMax = .mib(4)
        let reader = PartitionReader(
            cluster: cluster, partitions: open.mapValues { .offset(Offset($0)) }, settings: settings)
        let watchdog = Task { [left = deadline - time.now] in
            try await Task.sleep(for: max(left, .zero))
            reader.close()
        }
        defer { watchdog.cancel() }
        var found: [TopicPartition: [RecordRow]] = [:]
        try await reader.run { data in
            guard let begin = begins[data.partition], let bound = ends[data.partition], open[data.partition] != nil
            else { return true }
            byteCount += data.byteCount.bytes
            for batch in data.batches where batch.baseOffset.rawValue < bound {
                var records = try batch.records(decompressedMax: limits.decompressedMax)
                while let record = try records.next() {
                    let offset = record.offset.rawValue
                    guard offset >= begin, offset < bound else { continue }
                    recordCount += 1
                    guard filter.accepts(record, partition: data.partition.partition) else { continue }
                    let row = RecordRow(
                        record, partition: data.partition.partition, shownBytesMax: limits.shownBytesMax)
                    found[data.partition, default: []].append(row)
                    let count = found[data.partition]?.count ?? 0
                    if keepsLast, count >= 2 * rowsMax { found[data.partition]?.removeFirst(count - rowsMax) }
                    if !keepsLast, count >= rowsMax {
                        if partitions.count == 1 { end = .rows }
                        open[data.partition] = nil
                        return !open.isEmpty
                    }
                }
                if let reached = limitReached() {
                    end = reached
                    next = batch.nextOffset.rawValue
                    return false
                }
            }
            if data.nextOffset.rawValue >= bound { open[data.partition] = nil }
            return !open.isEmpty
        }
        if !open.isEmpty, end == .complete { end = .time }
        rows += found.values.joined()
        if !keepsLast, end == .complete, rows.count >= rowsMax { end = .rows }
    }

    private func limitReached() -> End? {
        if recordCount >= limits.scannedRecordsMax { return .records }
        if byteCount >= limits.scannedBytesMax.bytes { return .bytes }
        return time.now >= deadline ? .time : nil
    }
}
