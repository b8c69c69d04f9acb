import AgentCommands
import ArgumentParser
import Base
import Events
import LogStorage

extension LogCommand {
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check every batch, index, snapshot and checkpoint of a log directory.",
            discussion: """
                Reads all segments once: CRCs, lengths, offsets without a hole, leader epochs, index entries. Changes nothing, and may run beside the broker. Ends
                with 1 where anything is wrong; what a client would have been sent is then refused by its CRC or by the broker, never wrong.

                EXAMPLES
                  millrace log verify /var/lib/millrace/broker
                  millrace log verify /var/lib/millrace/broker --output json
                """)

        @OptionGroup var directory: LogDirectoryOptions
        @Option(help: "table or json.") var output = OutputFormat.table

        func run() async throws {
            try await reporting {
                let report = try LogCommand.verify(directory)
                switch output {
                case .table: LogCommand.print(report)
                case .json: Swift.print(Self.json(report))
                }
                if !report.isFine { throw ExitCode.failure }
            }
        }

        private static func json(_ report: LogReport) -> String {
            let findings: [Value] = report.findings.map { finding in
                .object([
                    Field("kind", .string(finding.kind.rawValue)), Field("path", .string(finding.path.string)),
                    Field("position", finding.position.map { .int($0) } ?? .null),
                    Field("message", .string(finding.message)),
                ])
            }
            return Value.object([
                Field("fine", .bool(report.isFine)), Field("partitions", .int(Int64(report.partitionCount))),
                Field("segments", .int(Int64(report.segmentCount))), Field("batches", .int(report.batchCount)),
                Field("records", .int(report.recordCount)), Field("bytes", .int(report.bytesRead)),
                Field("findings", .list(findings)), Field("more_findings", .int(Int64(report.moreFindingCount))),
            ]).json
        }
    }

    static func verify(_ directory: LogDirectoryOptions) throws -> LogReport {
        let disk = PosixFileSystem()
        let path = try directory.path(disk)
        let bar = ProgressBar("verify", unit: .bytes)
        defer { bar.clear() }
        return try LogVerifier(path: path, fileSystem: disk, isInUse: LogVerifier.isInUse(path, disk)).run {
            bar.show($0, of: $1)
        }
    }

    static func print(_ report: LogReport) {
        for finding in report.findings { Swift.print("\(finding.kind.rawValue)  \(finding)") }
        if report.moreFindingCount > 0 { Swift.print("… and \(report.moreFindingCount) more") }
        let count = report.findings.count + report.moreFindingCount
        Swift.print(
            "\(report.partitionCount) partitions, \(report.segmentCount) segments, \(report.batchCount) batches, "
                + "\(report.recordCount) records, \(report.bytesRead) bytes: "
                + (report.isFine ? "all sound" : "\(count) findings"))
    }
}
