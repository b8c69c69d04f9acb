/// Schema files in, Swift files out. Reads and writes nothing itself.
public enum Generator {
    /// A file by its path, relative to the repository.
    public struct File: Sendable, Hashable {
        public var path: String
        public var text: String

        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    /// Folders that hold nothing but generated files.
    public static let outputFolders = ["Sources/KafkaWire/Generated", "Tests/KafkaWireTests/Generated"]
    public static let inputFolder = "Schemas"

    /// The schemas of all messages, by file.
    public static func schemas(from files: [File]) throws(SchemaError) -> [Schema] {
        var schemas: [Schema] = []
        for file in files.sorted(by: { $0.path < $1.path }) where file.path.hasSuffix(".schema") {
            schemas.append(try SchemaParser.parse(file.text, path: file.path))
        }
        return schemas
    }

    /// Everything that belongs into `outputFolders`, sorted by path.
    public static func generate(from files: [File]) throws(SchemaError) -> [File] {
        let schemas = try schemas(from: files)
        var output: [File] = []
        for schema in schemas {
            var out = header(from: schema.path, imports: ["Base", "NIOCore"])
            for message in schema.messages {
                out.line()
                MessageEmitter(message: message, api: schema.api).emit(into: &out)
            }
            output.append(File(path: "\(outputFolders[0])/\(schema.name).swift", text: out.text))
        }
        for file in files where file.path.hasSuffix("/Errors.table") {
            var out = header(from: file.path, imports: [])
            out.line()
            TableEmitter.emitErrors(try TableEmitter.errorRows(file.text, path: file.path), into: &out)
            output.append(File(path: "\(outputFolders[0])/ErrorCodes.swift", text: out.text))
        }
        for file in files where file.path.hasSuffix("/ApiVersions.table") {
            var out = header(from: file.path, imports: [])
            out.line()
            TableEmitter.emitApiKeys(try TableEmitter.apiRows(file.text, path: file.path), into: &out)
            output.append(File(path: "\(outputFolders[0])/ApiKey.swift", text: out.text))
        }
        output.append(registry(of: schemas))
        return output.sorted { $0.path < $1.path }
    }

    /// All messages in one list, for the tests.
    private static func registry(of schemas: [Schema]) -> File {
        var out = header(from: inputFolder, imports: ["KafkaWire"])
        out.line()
        out.line("/// Every message that the schemas describe.")
        out.line("let allMessages: [any WireMessage.Type] = [")
        for message in schemas.flatMap(\.messages) { out.line("    \(message.name).self,") }
        out.line("]")
        return File(path: "\(outputFolders[1])/AllMessages.swift", text: out.text)
    }

    private static func header(from path: String, imports: [String]) -> SwiftText {
        var out = SwiftText()
        out.line("// swift-format-ignore-file")
        out.line(
            "// Generated from \(path) by `swift run WireGenerator`. Don't edit: change the schema and generate again.")
        if !imports.isEmpty { out.line() }
        for name in imports { out.line("import \(name)") }
        return out
    }
}
