import ArgumentParser

public struct VersionCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.")

    public init() {}

    public func run() { print("millrace \(Build.version)") }
}
