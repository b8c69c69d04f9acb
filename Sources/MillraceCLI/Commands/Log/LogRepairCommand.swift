import AgentCommands
import ArgumentParser
import Base
import LogStorage

extension LogCommand {
    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "repair",
            abstract: "Mend a log directory as a start after a crash would, from the first byte on.",
            discussion: """
                The broker must be stopped. Every segment is read: damaged batches are moved to quarantine/ and readers go on behind them, torn tails are cut, indexes,
                snapshots and epochs are written anew. With --dry-run nothing is changed, and what is wrong is told.

                EXAMPLES
                  millrace log repair /var/lib/millrace/broker --dry-run
                  millrace log repair /var/lib/millrace/broker
                """)

        @OptionGroup var directory: LogDirectoryOptions
        @Flag(help: "Change nothing: tell what is wrong, as verify does.") var dryRun = false

        func run() async throws {
            try await reporting {
                let before = try LogCommand.verify(directory)
                LogCommand.print(before)
                if dryRun || before.isFine {
                    if !before.isFine { throw ExitCode.failure }
                    return
                }
                let disk = PosixFileSystem()
                let path = try directory.path(disk)
                let logs = LogDirectory(path: path, fileSystem: disk, time: SystemTime()) { fact in
                    if fact.level != .debug { Swift.print(fact) }
                }
                try logs.open(checksAll: true)
                if let reason = logs.offlineReason {
                    throw LogError(.offline, "nothing was repaired: \(reason)")
                }
                try logs.shutDown()
                let after = try LogCommand.verify(directory)
                LogCommand.print(after)
                if !after.isFine { throw ExitCode.failure }
            }
        }
    }
}
