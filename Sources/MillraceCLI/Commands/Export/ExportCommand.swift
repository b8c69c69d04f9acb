import ArgumentParser
import Base
import Exports
import SystemPackage

/// Looks after what pipelines export: the commands each stand in a file of their own.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "List, prove and describe exported tables; accept gaps.",
        subcommands: [List.self, Verify.self, Definition.self, Gap.self])
}

/// Which export, and which of its chains.
struct ExportOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The export's root: the folder that holds the tables and .millrace.", valueName: "root"))
    var root: String

    @Option(help: ArgumentHelp("Only chains of this pipeline.", valueName: "name")) var pipeline: String?
    @Option(help: ArgumentHelp("Only this table.", valueName: "name")) var table: String?

    var filter: ChainFilter { ChainFilter(pipeline: pipeline, table: table) }

    func store() throws -> LocalStore {
        let store = LocalStore(root: FilePath(root))
        guard try PosixFileSystem().exists(store.root.appending(".millrace")) else {
            throw ValidationError(
                "\(root) is no export's root: it has no folder .millrace. Name the folder that 'root' names in the pipeline's file."
            )
        }
        return store
    }
}
