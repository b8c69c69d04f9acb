import AgentCommands
import ArgumentParser
import Base
import SystemPackage

/// Looks into a broker's log directory, without the broker.
struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Dump, verify and repair a broker's log directory.",
        subcommands: [Dump.self, Verify.self, Repair.self])
}

/// Which log directory.
struct LogDirectoryOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The broker's data folder, or its logs folder.", valueName: "folder"), completion: .directory
    )
    var folder: String

    /// The data folder holds the logs in one of its own.
    func path(_ fileSystem: any FileSystem) throws(FileError) -> FilePath {
        let path = FilePath(folder)
        guard let status = try fileSystem.status(path) else { throw FileError(.noSuchFile, .open, path) }
        guard status.kind == .directory else {
            throw FileError(.damaged, .open, path, detail: "a folder is expected: the broker's data or logs folder")
        }
        let logs = path.appending("logs")
        return try fileSystem.status(logs)?.kind == .directory ? logs : path
    }
}
