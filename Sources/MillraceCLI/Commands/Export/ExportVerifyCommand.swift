import AgentCommands
import ArgumentParser
import Base
import Events
import Exports
import KafkaClient
import KafkaConnection
import NIOPosix
import Pipelines

extension ExportCommand {
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Prove from the chains that the tables hold every record once, and nothing else.",
            discussion: """
                Each chain's offsets must follow each other without a hole or an overlap; each file that a commit names must stand in the table with that
                length, those bytes and that many rows; and no other file may. Each _SUCCESS must say what the commits say. With --broker, what each source's agent
                says that it shipped (in __millrace_status) must have been exported, hour by hour. May run beside the pipeline. Ends with 1 where anything is
                wrong.

                EXAMPLES
                  millrace export verify /srv/export
                  millrace export verify /srv/export --broker agg:9092
                  millrace export verify hdfs://nn:9870/logs --table nginx --quick --output json
                """)

        @OptionGroup var export: ExportOptions
        @Flag(help: "Don't read the files: only chains, names and lengths.") var quick = false
        @Option(
            name: [.customLong("broker"), .customLong("bootstrap-server")],
            help: ArgumentHelp("Compare with what the sources' agents told these brokers.", valueName: "host:port"))
        var broker: String?
        @OptionGroup var client: ClientConfigOptions

        @Option(help: ArgumentHelp("Where agents tell it.", valueName: "topic")) var statusTopic = "__millrace_status"
        @Option(help: "table or json.") var output = OutputFormat.table

        func run() async throws {
            try await reporting {
                let bar = ProgressBar("verify", unit: .bytes)
                var report = AuditReport()
                let exports = try export.exports()
                var cluster: KafkaCluster?
                var sources: SourceAudit?
                defer { cluster?.shutDown() }
                if let broker {
                    let made = KafkaCluster(
                        settings: try client.source.settings(
                            file: nil, option: broker, security: ClientSecuritySettings()),
                        on: MultiThreadedEventLoopGroup.singleton)
                    cluster = made
                    var chains: [ChainID] = []
                    for (store, _) in exports { chains += try await store.chains() }
                    sources = try await SourceAudit(cluster: made, statusTopic: statusTopic, chains: chains)
                }
                for (store, filter) in exports {
                    report.add(try await audit(store, filter, bar))
                }
                let remarks = sources?.compare(&report) ?? []
                bar.clear()
                for remark in remarks { printError(remark) }
                switch output {
                case .table: printTable(report)
                case .json: printJSON(report)
                }
                if !report.isFine { throw ExitCode.failure }
            }
        }

        private func audit(
            _ store: some AuditedStore, _ filter: ChainFilter, _ bar: ProgressBar
        ) async throws -> AuditReport {
            try await ExportAudit(store, filter: filter, readsFiles: !quick) { progress in
                bar.show(progress.bytesRead, of: progress.byteCount)
            }.run()
        }

        private func printTable(_ report: AuditReport) {
            for finding in report.findings { print("\(finding.kind.rawValue)  \(finding)") }
            if report.moreFindingCount > 0 { print("… and \(report.moreFindingCount) more") }
            let lost = report.chains.reduce(0) { $0 + $1.lostOffsetCount }
            var text = "\(report.chains.count) chains, \(report.fileCount) files, \(report.rowCount) rows, "
            text += "\(report.byteCount) bytes\(quick ? " not read" : ""): "
            text +=
                report.isFine ? "all as the commits say" : "\(report.findings.count + report.moreFindingCount) findings"
            if report.markerCount > 0 { text += "; \(report.markerCount) markers" }
            if broker != nil { text += "; \(report.sourceHourCount) source hours as their agents say" }
            if report.pendingFileCount > 0 { text += "; \(report.pendingFileCount) files are being published" }
            if lost > 0 { text += "; \(lost) offsets are recorded as lost" }
            print(text)
        }

        private func printJSON(_ report: AuditReport) {
            let findings: [Value] = report.findings.map { finding in
                .object([
                    Field("kind", .string(finding.kind.rawValue)), Field("table", .string(finding.table)),
                    Field("path", .string(finding.path)), Field("message", .string(finding.message)),
                ])
            }
            let report: [Field] = [
                Field("fine", .bool(report.isFine)), Field("chains", .int(Int64(report.chains.count))),
                Field("files", .int(report.fileCount)), Field("rows", .int(report.rowCount)),
                Field("bytes", .int(report.byteCount)), Field("markers", .int(report.markerCount)),
                Field("source_hours", .int(Int64(report.sourceHourCount))),
                Field("pending_files", .int(report.pendingFileCount)),
                Field("lost_offsets", .int(report.chains.reduce(0) { $0 + $1.lostOffsetCount })),
                Field("findings", .list(findings)), Field("more_findings", .int(Int64(report.moreFindingCount))),
            ]
            print(Value.object(report).json)
        }
    }
}
