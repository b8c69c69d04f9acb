import ArgumentParser
import Settings

/// How a binary begins: as ArgumentParser does it, but a command that isn't there is answered with the nearest one.
public enum CommandEntry {
    public static func main<Root: AsyncParsableCommand>(_ root: Root.Type) async {
        if let problem = unknownCommand(in: root, CommandLine.arguments.dropFirst().map { $0 }) {
            printError(problem)
            root.exit(withError: ExitCodes.usage)
        }
        await root.main()
    }

    /// What is wrong with the words that should be commands; nil where they are some, or where a command takes them as arguments.
    static func unknownCommand(in root: any ParsableCommand.Type, _ arguments: [String]) -> String? {
        var command = root
        var path = [root.configuration.commandName ?? ""]
        for word in arguments {
            // Options may have values, which can't be told from commands here.
            guard !word.hasPrefix("-"), word != "help", !command.configuration.subcommands.isEmpty else { return nil }
            let configuration = command.configuration
            if let next = configuration.subcommands.first(where: { $0.configuration.commandName == word }) {
                command = next
                path.append(word)
                continue
            }
            // A loop, since key paths of metatypes crash the compiler (Swift 6.3.1).
            var known: [String] = []
            for subcommand in configuration.subcommands where subcommand.configuration.shouldDisplay {
                if let name = subcommand.configuration.commandName { known.append(name) }
            }
            let place = Place(file: "", line: 0, column: 0)
            let message = SettingsError.unknownName(word, kind: "command", known: known, at: place).message
            // A command with a default subcommand may take the word as its argument.
            if configuration.defaultSubcommand != nil, !message.contains("did you mean") { return nil }
            return "\(path.joined(separator: " ")): \(message)"
        }
        return nil
    }
}
