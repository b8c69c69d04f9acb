import AgentCommands
import ArgumentParser
import Base
import Exports
import Pipelines
import RemoteStores
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// Looks after what pipelines export: the commands each stand in a file of their own.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "List, prove and describe exported tables; accept gaps; collect old records.",
        subcommands: [List.self, Verify.self, Definition.self, Gap.self, Collect.self])
}

/// Which exports, and which of their chains.
struct ExportOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The export's root: the folder that holds the tables and .millrace, hdfs://host:9870/folder or s3://bucket/folder.",
            valueName: "root"), completion: .directory)
    var root: String?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("A pipeline's file instead: all that it exports.", valueName: "file"),
        completion: .file())
    var config: String?

    @Option(help: ArgumentHelp("Only chains of this pipeline.", valueName: "name")) var pipeline: String?
    @Option(help: ArgumentHelp("Only this table.", valueName: "name")) var table: String?

    func validate() throws {
        guard (root == nil) != (config == nil) else {
            throw ValidationError("name an export's root, or a pipeline's file with -c")
        }
    }

    var filter: ChainFilter { ChainFilter(pipeline: pipeline, table: table) }

    /// The roots, each once, with what is wanted of each.
    func exports() throws -> [(store: any AuditedStore, filter: ChainFilter)] {
        if let root { return [(try location(root).open(), filter)] }
        let settings = try PipelineSettings(yaml: try loadSettings(config ?? ""))
        var exports: [(store: any AuditedStore, filter: ChainFilter)] = []
        for case .export(let export) in settings.sinks where table == nil || table == export.table {
            exports.append((export.root.open(), ChainFilter(pipeline: settings.name, table: export.table)))
        }
        guard !exports.isEmpty else {
            throw ValidationError("\(config ?? "") exports no table\(table.map { " '\($0)'" } ?? "")")
        }
        return exports
    }

    private static var currentFolder: String {
        guard let text = getcwd(nil, 0) else { return "/" }
        defer { free(text) }
        return String(cString: text)
    }

    private func location(_ root: String) throws -> StoreLocation {
        var absolute = root
        if !root.contains("://"), !root.hasPrefix("/") {
            absolute = FilePath(Self.currentFolder).pushing(FilePath(root)).string
        }
        let location: StoreLocation
        do throws(StoreLocation.Problem) {
            location = try StoreLocation(absolute, user: StoreLocation.defaultUser)
        } catch { throw ValidationError(error.description) }
        if case .local(let folder) = location {
            guard try PosixFileSystem().exists(folder.appending(ChainPaths.top)) else {
                throw ValidationError(
                    "\(root) is no export's root: it has no folder \(ChainPaths.top). "
                        + "Name the folder that 'root' names in the pipeline's file.")
            }
        }
        return location
    }
}
