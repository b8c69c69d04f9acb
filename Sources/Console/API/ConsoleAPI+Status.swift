import Base
import Events

extension ConsoleAPI {
    /// An agent that has said nothing for this long is shown as silent.
    static let silentAfter = Duration.seconds(60)
    static let listed = 1_000

    func isSilent(_ report: Value) -> Bool {
        guard let told = report["time"].int else { return true }
        return time.wallTime - Timestamp(milliseconds: told) > Self.silentAfter
    }

    func agents() async -> [Field] {
        let picture = await sampler.watch()
        let reports = await statuses.reports(kind: "agent").prefix(Self.listed)
        let rows = reports.map { key, report -> Value in
            .object([
                Field("key", .string(key)), Field("name", report["agent"]), Field("time", report["time"]),
                Field("silent", .bool(isSilent(report))), Field("stalled", report["stalled"]),
                Field("pending_batches", report["pending_batches"]), Field("unread_bytes", report["unread_bytes"]),
                Field("ring_used_bytes", report["ring_used_bytes"]), Field("ring_bytes", report["ring_bytes"]),
                Field("sources", report["sources_total"]), Field("streams", report["streams_total"]),
                Field("lines", .int(Self.lines(report))), Field("last_error", report["last_error"]),
            ])
        }
        let trouble = await statuses.trouble
        return common(picture) + [
            Field("agents", .list(rows)), Field("status_topic", .string(settings.statusTopic)),
            Field("status_trouble", trouble.map { .string($0) } ?? .null),
        ]
    }

    /// Of the hours that the report still holds: a day.
    private static func lines(_ report: Value) -> Int64 {
        report["sources"].elements.reduce(0) { sum, source in
            sum + source["hours"].elements.reduce(0) { $0 + ($1["lines"].int ?? 0) }
        }
    }

    func agent(_ key: String) async throws -> [Field] {
        let picture = await sampler.watch()
        guard let report = await statuses.report(key) else {
            throw RequestError(.notFound, "no report of '\(key)' stands in \(settings.statusTopic)")
        }
        return common(picture) + [Field("silent", .bool(isSilent(report))), Field("report", report)]
    }

    /// Pipelines that report, and the groups they and others read as.
    func pipelines() async -> [Field] {
        let picture = await sampler.watch()
        let reports = await statuses.reports(kind: "pipeline").prefix(Self.listed)
        let rows = reports.map { key, report -> Value in
            .object([
                Field("key", .string(key)), Field("silent", .bool(isSilent(report))), Field("report", report),
            ])
        }
        return common(picture) + [
            Field("pipelines", .list(rows)),
            Field("groups", .list(picture.groups.map { .object(Self.fields($0, withHistory: true)) })),
        ]
    }
}
