/// A configuration that can't be used: where it is wrong, what was found and what would be right.
public struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    public var file: String
    /// One-based; zero where the whole file is meant.
    public var line: Int
    public var column: Int
    public var message: String

    public init(_ message: String, at place: Place) {
        self.file = place.file
        self.line = place.line
        self.column = place.column
        self.message = message
    }

    /// `agent.yaml:3:5: unknown key 'borker': did you mean 'broker'?`, as compilers write it, so that editors can jump there.
    public var description: String {
        line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
    }
}

/// Where in a file a node begins; lines and columns count from one.
public struct Place: Sendable, Equatable {
    public var file: String
    public var line: Int
    public var column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}
