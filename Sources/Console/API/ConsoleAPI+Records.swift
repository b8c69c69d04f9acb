import Base
import Events
import KafkaClient
import NIOHTTP1
import Records

extension ConsoleAPI {
    func records(_ request: Request) async throws -> [Field] {
        let topic = try request.required("topic")
        let filter = try RecordFilter(request, topic: topic)
        let rowsMax = min(max(1, Int(try request.number("limit") ?? 100)), settings.limits.rowsMax)
        let begin = try searchStart(request)
        guard searches.take() else { throw busy("searches") }
        defer { searches.giveBack() }
        var search = RecordSearch(
            cluster: cluster, limits: settings.limits, time: time, topic: topic,
            partitions: try await partitions(request), start: begin, filter: filter, rowsMax: rowsMax)
        let began = time.now
        try await search.run()
        return [
            Field("rows", .list(search.rows.map { .object($0.fields) })),
            Field("end", .string(search.end.rawValue)), Field("next", search.next.map { .int($0) } ?? .null),
            Field("records_read", .int(Int64(search.recordCount))),
            Field("bytes_read", .int(Int64(search.byteCount))),
            Field("milliseconds", .int((time.now - began).milliseconds)),
        ]
    }

    private func busy(_ what: String) -> RequestError {
        RequestError(.serviceUnavailable, "as many \(what) are open as this console allows: close one, or try again")
    }

    private func searchStart(_ request: Request) throws -> RecordSearch.Start {
        switch request.text("from") ?? "newest" {
        case "newest": return .newest
        case "earliest": return .earliest
        case "offset":
            guard let offset = try request.number("at"), offset >= 0 else {
                throw RequestError(.badRequest, "from=offset wants at=NUMBER")
            }
            return .offset(offset)
        case "time":
            let text = try request.required("at")
            if let milliseconds = Int64(text) { return .time(Timestamp(milliseconds: milliseconds)) }
            guard let time = TimeText.iso8601(text) else {
                throw RequestError(.badRequest, "at=\(text): a time such as 2026-11-22T07:00:00Z is wanted")
            }
            return .time(time)
        case let other: throw RequestError(.badRequest, "from=\(other): newest, earliest, offset or time")
        }
    }

    /// One record whole, up to `recordBytesMax`, with the fields that were found in it.
    func record(_ request: Request) async throws -> [Field] {
        let (record, partition) = try await one(request)
        let topic = try request.required("topic")
        var row = RecordRow(
            record, partition: partition.partition, shownBytesMax: settings.limits.recordBytesMax)
        // The key too is whole here.
        row.key = record.key.map { RecordRow.text($0, bytesMax: settings.limits.recordBytesMax.bytes) }
        let headers = ((try? record.headers.all()) ?? []).prefix(100)
        let parsed = record.value.flatMap { value -> Event? in
            guard value.readableBytes <= 64 * 1_024 else { return nil }
            return value.withUnsafeReadableBytes { DisplayParser(topic: topic).parsed($0) }
        }
        return row.fields + [
            Field(
                "headers",
                .list(
                    headers.map { header in
                        .object([
                            Field("name", .string(header.name)),
                            Field("value", header.value.map { .string(RecordRow.text($0, bytesMax: 1_024)) } ?? .null),
                        ])
                    })),
            Field("fields", parsed.map { .object($0.fields) } ?? .null),
        ]
    }

    /// The value's bytes as they are, as a download that no browser shows.
    func rawRecord(_ request: Request) async throws -> Response {
        let (record, partition) = try await one(request)
        return Response(
            contentType: "application/octet-stream",
            headers: [
                ("content-disposition", "attachment; filename=\"record-\(partition.partition)-\(record.offset).bin\""),
                ("cache-control", "no-store"),
            ], body: .bytes(record.value.map { Array($0.readableBytesView) } ?? []))
    }

    private func one(_ request: Request) async throws -> (Record, TopicPartition) {
        guard let partition = try await partitions(request).first, request.text("partition") != nil,
            let offset = try request.number("offset"), offset >= 0
        else { throw RequestError(.badRequest, "topic, partition and offset are wanted") }
        guard searches.take() else { throw busy("searches") }
        defer { searches.giveBack() }
        let end = try await cluster.offset(of: partition, at: .latest)
        guard offset < end.offset.rawValue else {
            throw RequestError(.notFound, "\(partition) ends at offset \(end.offset)")
        }
        let reader = PartitionReader(cluster: cluster, partitions: [partition: .offset(Offset(offset))])
        let watchdog = Task { [limit = settings.limits.searchTimeMax] in
            try await Task.sleep(for: limit)
            reader.close()
        }
        defer { watchdog.cancel() }
        var found: Record?
        try await reader.run { data in
            for batch in data.batches {
                var records = try batch.records(decompressedMax: settings.limits.decompressedMax)
                while let record = try records.next(), found == nil {
                    if record.offset.rawValue == offset { found = record }
                }
            }
            return found == nil && data.nextOffset.rawValue <= offset
        }
        guard let found else {
            throw RequestError(.notFound, "\(partition) holds no record at offset \(offset) any more")
        }
        return (found, partition)
    }

    func tail(_ request: Request) async throws -> Response {
        let filter = try RecordFilter(request, topic: try request.required("topic"))
        let wanted = try await partitions(request)
        let tail = LiveTail(
            cluster: cluster, limits: settings.limits, time: time, partitions: wanted, filter: filter)
        return Response(
            contentType: "text/event-stream; charset=utf-8", headers: [("cache-control", "no-store")],
            body: .stream { [tails] stream in
                // An EventSource can't read the body of a 503.
                guard tails.take() else {
                    let reason = Field("error", .string(busy("live tails").message))
                    _ = await stream.send(LiveTail.bytes([reason]), event: "trouble")
                    return
                }
                defer { tails.giveBack() }
                await tail.run(stream)
            })
    }
}
