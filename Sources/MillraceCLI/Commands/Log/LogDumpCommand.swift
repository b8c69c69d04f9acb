import AgentCommands
import ArgumentParser
import Base
import Events
import LogStorage
import SystemPackage

extension LogCommand {
    struct Dump: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dump",
            abstract: "Tell what stands in a log's files: batches, records, indexes, producers, epochs, checkpoints.",
            discussion: """
                EXAMPLES
                  millrace log dump /var/lib/millrace/broker/logs/nginx.access-0
                  millrace log dump …/nginx.access-0/00000000000000000000.log --records
                  millrace log dump …/00000000000000000000.index --output json
                """)

        @Argument(help: ArgumentHelp("Files, or a partition's folder.", valueName: "path")) var paths: [String]
        @Flag(help: "Also each record, with its key and value.") var records = false
        @Option(help: "table or json.") var output = OutputFormat.table

        func run() async throws {
            try await reporting {
                let dump = LogDump(fileSystem: PosixFileSystem(), showsRecords: records)
                for path in paths {
                    for file in try dump.files(at: FilePath(path)) {
                        if output == .table { Swift.print("\(file)") }
                        try dump.each(in: file) { show($0, of: file) }
                    }
                }
            }
        }

        private func show(_ entry: DumpEntry, of file: FilePath) {
            switch output {
            case .table:
                let fields = entry.fields.filter { $0.value != .none }.map { "\($0.name) \(Self.text($0.value))" }
                Swift.print("  \(entry.kind)  \(fields.joined(separator: "  "))")
            case .json:
                let fields = entry.fields.map { Field($0.name, Self.value($0.value)) }
                let start = [Field("file", .string(file.string)), Field("kind", .string(entry.kind))]
                Swift.print(Value.object(start + fields).json)
            }
        }

        private static func value(_ value: DumpEntry.Value) -> Value {
            switch value {
            case .int(let number): .int(number)
            case .text(let text): .string(text)
            case .bool(let flag): .bool(flag)
            case .none: .null
            }
        }

        /// What a record holds must not command the terminal.
        private static func text(_ value: DumpEntry.Value) -> String {
            switch value {
            case .int(let number): "\(number)"
            case .bool(let flag): "\(flag)"
            case .text(let text):
                text.contains { $0.isNewline || $0 < " " } || text.contains(" ") ? Value.string(text).json : text
            case .none: ""
            }
        }
    }
}
