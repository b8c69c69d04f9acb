import AgentCommands
import Base
import Events
import KafkaClient
import NIOPosix
import Pipelines

extension PipelineCommand.Run {
    /// Each table's columns, then each record with what became of it.
    func showDryRun() async throws {
        for file in config {
            let settings = try PipelineSettings.load(try loadSettings(file))
            for case .export(let export) in settings.sinks {
                let columns: [Value] = (export.settings.format.schema?.columns ?? []).map { column in
                    .object([Field("name", .string(column.name)), Field("type", .string(column.type.rawValue))])
                }
                let table: [Field] = [
                    Field("table", .string(export.table)), Field("root", .string("\(export.root)")),
                    Field("format", .string(export.settings.format.kind.rawValue)), Field("columns", .list(columns)),
                ]
                printNow(Value.object(table).json)
            }
            let cluster = KafkaCluster(
                settings: try client.source.settings(
                    file: settings.bootstrap, option: broker, security: settings.security),
                on: MultiThreadedEventLoopGroup.singleton)
            defer { cluster.shutDown() }
            try await DryRun(settings, on: cluster).run(limit: limit) { printNow($0.json) }
        }
    }
}

extension DryRun.Result {
    /// The record's place and what became of it, as one JSON object.
    var json: String {
        var fields = [
            Field("topic", .string(partition.topic)),
            Field("partition", .int(Int64(partition.partition))),
            Field("offset", .int(offset.rawValue)),
        ]
        switch outcome {
        case .filtered: fields.append(Field("becomes", .string("filtered")))
        case .dropped(let reason): fields += [Field("becomes", .string("dropped")), Field("reason", .string(reason))]
        case .deadLetter(let failure):
            fields += [
                Field("becomes", .string("dead_letter")), Field("step", .string(failure.step)),
                Field("reason", .string(failure.reason)),
            ]
        case .row(let event):
            fields += [
                Field("becomes", .string("row")),
                Field("folders", .object(folders.map { Field($0.table, .string($0.folder)) })),
                Field("row", .object(event.fields)),
            ]
        }
        return Value.object(fields).json
    }
}
