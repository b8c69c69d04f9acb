/// Reads the format of `Schemas/README.md`.
public struct SchemaParser {
    private let path: String
    private var lineNumber = 0
    private var schema: Schema
    /// The structs whose fields are being read, outermost first, each with the indentation of its fields.
    private var open: [(indent: Int, place: Place, versions: VersionRange)] = []

    private enum Place {
        case message
        case structure(Int)
    }

    /// - Parameter path: relative to the repository, for messages and for the name of what comes of it.
    public static func parse(_ text: String, path: String) throws(SchemaError) -> Schema {
        var parser = SchemaParser(path: path)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            parser.lineNumber += 1
            try parser.read(line)
        }
        try parser.checkStructs()
        return parser.schema
    }

    private init(path: String) {
        self.path = path
        let file = path.split(separator: "/").last ?? ""
        schema = Schema(name: String(file.prefix { $0 != "." }), path: path, api: nil, messages: [])
    }

    private mutating func read(_ line: Substring) throws(SchemaError) {
        let content = line.drop { $0 == " " }
        if content.isEmpty || content.hasPrefix("#") { return }
        let indent = line.count - content.count
        let words = content.split(separator: " ").map(String.init)
        if indent == 0 { return try readHeader(words) }
        while let last = open.last, last.indent > indent { open.removeLast() }
        guard let parent = open.last, parent.indent == indent else {
            throw error("indented by \(indent) spaces, expected \(open.last?.indent ?? 0)")
        }
        if words[0] == "struct" { return try readSharedStruct(words, indent: indent) }
        try readField(words, indent: indent, place: parent.place, versions: parent.versions)
    }

    // MARK: Headers

    private mutating func readHeader(_ words: [String]) throws(SchemaError) {
        if words[0] == "api" {
            guard words.count == 3, let key = Int(words[2]) else { throw error("expected: api NAME KEY") }
            schema.api = Schema.API(name: words[1], key: key)
            return
        }
        guard let kind = Message.Kind(rawValue: words[0]) else { throw error("unknown kind of message \(words[0])") }
        var rest = words.dropFirst()
        let name: String
        switch kind {
        case .request, .response:
            guard let api = schema.api else { throw error("\(words[0]) before api") }
            name = api.name + (kind == .request ? "Request" : "Response")
        case .data, .recordKey, .recordValue:
            guard let first = rest.popFirst() else { throw error("expected a name") }
            name = first
        }
        guard let text = rest.popFirst(), let versions = VersionRange(text) else { throw error("expected versions") }
        var message = Message(
            kind: kind, name: name, versions: versions, flexible: .none, recordType: nil, fields: [], structs: [])
        while let word = rest.popFirst() {
            guard let value = rest.popFirst() else { throw error("\(word) without a value") }
            switch word {
            case "flexible":
                guard let range = VersionRange(value) else { throw error("flexible \(value) is no version range") }
                message.flexible = range.intersection(versions)
            case "type":
                guard let type = Int(value) else { throw error("type \(value) is no number") }
                message.recordType = type
            default:
                throw error("unknown word \(word)")
            }
        }
        schema.messages.append(message)
        open = [(indent: 4, place: .message, versions: versions)]
    }

    private mutating func readSharedStruct(_ words: [String], indent: Int) throws(SchemaError) {
        guard words.count >= 2, open.count == 1 else { throw error("expected: struct NAME, below its message") }
        var versions = open[0].versions
        if words.count == 3 {
            guard words[2].hasPrefix("@"), let range = VersionRange(words[2].dropFirst()) else {
                throw error("expected @VERSIONS, found \(words[2])")
            }
            versions = range.intersection(versions)
        }
        addStruct(words[1], versions: versions, indent: indent + 4)
    }

    private mutating func addStruct(_ name: String, versions: VersionRange, indent: Int) {
        let last = schema.messages.count - 1
        schema.messages[last].structs.append(Struct(name: name, versions: versions, fields: []))
        open.append((indent, .structure(schema.messages[last].structs.count - 1), versions))
    }

    // MARK: Fields

    private mutating func readField(_ words: [String], indent: Int, place: Place, versions: VersionRange)
        throws(SchemaError)
    {
        guard words.count >= 2, words[0].hasSuffix(":") else { throw error("expected: NAME: TYPE") }
        let parts = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var field = Field(
            name: String(words[0].dropLast()), type: try fieldType(parts[0]), versions: versions, nullable: .none,
            tag: nil, defaultValue: nil, isIgnorable: false, isFixed: false)
        var rest = words.dropFirst(2)
        while let word = rest.popFirst() {
            switch word {
            case "=": field.defaultValue = rest.popFirst()
            case "tag": field.tag = rest.popFirst().flatMap { Int($0) }
            case "ignorable": field.isIgnorable = true
            case "fixed": field.isFixed = true
            default:
                guard word.hasPrefix("@"), let range = VersionRange(word.dropFirst()) else {
                    throw error("unknown word \(word)")
                }
                field.versions = range.intersection(versions)
            }
        }
        if parts.count == 2 {
            guard let range = parts[1].isEmpty ? field.versions : VersionRange(parts[1]) else {
                throw error("?\(parts[1]) is no version range")
            }
            field.nullable = range.intersection(field.versions)
        }
        let last = schema.messages.count - 1
        switch place {
        case .message: schema.messages[last].fields.append(field)
        case .structure(let index): schema.messages[last].structs[index].fields.append(field)
        }
        // A struct whose fields follow is opened here; one that is shared, or already read, has no lines of its own.
        if let name = field.type.structName { addStruct(name, versions: field.versions, indent: indent + 4) }
    }

    private func fieldType(_ text: Substring) throws(SchemaError) -> FieldType {
        if text.hasPrefix("[") && text.hasSuffix("]") {
            return .array(try fieldType(text.dropFirst().dropLast()))
        }
        if let primitive = FieldType.primitives[String(text)] { return primitive }
        guard text.first?.isUppercase == true else { throw error("unknown type \(text)") }
        return .structure(String(text))
    }

    /// Folds a mention without fields into the struct that has them, and finds mentions of structs that nothing describes.
    private mutating func checkStructs() throws(SchemaError) {
        for index in schema.messages.indices {
            var structs: [Struct] = []
            for structure in schema.messages[index].structs {
                guard let known = structs.firstIndex(where: { $0.name == structure.name }) else {
                    structs.append(structure)
                    continue
                }
                if structure.fields.isEmpty { continue }
                guard structs[known].fields.isEmpty else {
                    throw error("\(schema.messages[index].name) describes \(structure.name) twice")
                }
                structs[known] = structure
            }
            if let empty = structs.first(where: { $0.fields.isEmpty }) {
                throw error("\(schema.messages[index].name) does not describe \(empty.name)")
            }
            schema.messages[index].structs = structs
        }
    }

    private func error(_ message: String) -> SchemaError {
        SchemaError(path: path, line: lineNumber, message: message)
    }
}
