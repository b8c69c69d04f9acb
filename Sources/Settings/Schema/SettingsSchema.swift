import Base

/// A JSON Schema (draft 2020-12) of a configuration file, learned by watching its decoder read specimens: documents that between them show every key.
///
/// It is at most as strict as the decoder: a file that it refuses is refused, but what depends on other keys (a codec that a format doesn't have, a
/// pattern that doesn't compile) only the decoder tells.
public struct SettingsSchema {
    private let title: String
    private let root: SettingsShape

    /// - Parameter decode: reads a document as the process does.
    /// - Throws: what the decoder has against a specimen.
    public init(
        title: String, specimens: [String], decode: (YAMLNode) throws(SettingsError) -> Void
    ) throws(SettingsError) {
        var traces: [SettingsTrace] = []
        for (number, text) in specimens.enumerated() {
            let (node, trace) = try YAMLNode.parse(text, file: "specimen \(number + 1)").traced()
            try decode(node)
            traces.append(trace)
        }
        self.title = title
        root = SettingsShape(traces)
    }

    /// Keys that the decoder asks for and no specimen shows, so that nothing is known of them. Has to be empty.
    public var unexplained: [String] { root.unexplained(at: "") }

    /// The keys with their paths, as `limits.topics` or `sources[].file.labels.*`.
    public var paths: [String] { Self.paths(of: root, at: "") }

    private static func paths(of shape: SettingsShape, at path: String) -> [String] {
        var paths = path.isEmpty ? [] : [path]
        for (key, member) in shape.members {
            paths += Self.paths(of: member, at: path.isEmpty ? key : "\(path).\(key)")
        }
        for member in shape.chosen { paths += Self.paths(of: member, at: "\(path).*") }
        for element in shape.elements { paths += Self.paths(of: element, at: "\(path)[]") }
        return paths
    }

    /// The schema's text, ending with a newline.
    public var json: String {
        var members: [(String, SchemaText)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")), ("title", .string(title)),
        ]
        if case .object(let described) = Self.schema(of: root) { members += described }
        members.append(("$defs", .object(Self.definitions)))
        return SchemaText.object(members).text + "\n"
    }

    // MARK: - Shapes

    private static func schema(of shape: SettingsShape) -> SchemaText {
        var readings = shape.readings
        if readings.contains(.texts) { readings.removeAll { $0 == .list || $0 == .text } }
        let alternatives = readings.map { schema(of: $0, shape) }
        if alternatives.count == 1 { return .object(alternatives[0]) }
        return .object(alternatives.isEmpty ? [] : [("anyOf", .array(alternatives.map { .object($0) }))])
    }

    private static func schema(of reading: SettingsTrace.Reading, _ shape: SettingsShape) -> [(String, SchemaText)] {
        switch reading {
        case .text: return reference("text")
        case .texts: return reference("texts")
        case .flag: return reference("flag")
        case .number: return reference("number")
        case .size(let range):
            let upper = range.upperBound.bytes == .max ? "" : " to \(range.upperBound)"
            return reference("size") + [("description", .string("A size from \(range.lowerBound)\(upper)."))]
        case .duration(let range):
            let text = "A duration from \(range.lowerBound.settingText) to \(range.upperBound.settingText)."
            return reference("duration") + [("description", .string(text))]
        case .whole(let range):
            var whole: [(String, SchemaText)] = [("type", .string("integer")), ("minimum", .int(range.lowerBound))]
            if range.upperBound != .max { whole.append(("maximum", .int(range.upperBound))) }
            return [("anyOf", .array([.object(whole), .object(reference("digits"))]))]
        case .choice(let names):
            let choices = SchemaText.object([("enum", .array(names.map { .string($0) }))])
            return [("anyOf", .array([choices, .object(reference("reference"))]))]
        case .list:
            var list: [(String, SchemaText)] = [("type", .string("array"))]
            if let element = shape.elements.first { list.append(("items", schema(of: element))) }
            return list
        case .mapping: return mapping(shape)
        }
    }

    private static func mapping(_ shape: SettingsShape) -> [(String, SchemaText)] {
        var object: [(String, SchemaText)] = [("type", .string("object"))]
        if let chosen = shape.chosen.first { return object + [("additionalProperties", orNull(chosen))] }
        object.append(
            (
                "properties",
                .object(shape.members.map { ($0.key, $0.shape.isRequired ? schema(of: $0.shape) : orNull($0.shape)) })
            ))
        let required = shape.members.filter(\.shape.isRequired)
        if !required.isEmpty { object.append(("required", .array(required.map { .string($0.key) }))) }
        object.append(("additionalProperties", .bool(false)))
        return object
    }

    /// A key with nothing behind it counts as one that is not there.
    private static func orNull(_ shape: SettingsShape) -> SchemaText {
        var members: [(String, SchemaText)] = [
            ("anyOf", .array([schema(of: shape), .object([("type", .string("null"))])]))
        ]
        switch shape.value {
        case .text(let text): if !text.isEmpty { members.append(("default", .string(text))) }
        case .flag(let flag): members.append(("default", .bool(flag)))
        case .whole(let number): members.append(("default", .int(number)))
        case nil: break
        }
        return .object(members)
    }

    // MARK: - Scalars

    private static func reference(_ name: String) -> [(String, SchemaText)] { [("$ref", .string("#/$defs/\(name)"))] }

    /// Editors see a file before `${env:…}` and `${file:…}` are filled in, so that any scalar may be such a text.
    private static let definitions: [(String, SchemaText)] = {
        let filledIn = #"\$\{(env|file):"#
        func pattern(_ pattern: String) -> SchemaText {
            .object([("type", .string("string")), ("pattern", .string(pattern))])
        }
        func type(_ name: String) -> SchemaText { .object([("type", .string(name))]) }
        let text = SchemaText.object([("$ref", .string("#/$defs/text"))])
        return [
            ("reference", pattern(filledIn)),
            ("text", .object([("type", .array(["string", "number", "boolean"].map { .string($0) }))])),
            ("texts", .object([("anyOf", .array([text, .object([("type", .string("array")), ("items", text)])]))])),
            ("flag", .object([("anyOf", .array([type("boolean"), pattern(filledIn)]))])),
            ("number", .object([("anyOf", .array([type("number"), pattern(filledIn)]))])),
            ("digits", pattern("^[0-9_]+$|" + filledIn)),
            (
                "size",
                .object([
                    (
                        "anyOf",
                        .array([
                            .object([("type", .string("integer")), ("minimum", .int(0))]),
                            pattern("^[0-9][0-9_.]* *(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$|" + filledIn),
                        ])
                    )
                ])
            ),
            ("duration", pattern("^[0-9][0-9_.]* *(ns|us|µs|ms|s|m|h|d)$|" + filledIn)),
        ]
    }()
}

extension Duration {
    /// `90s`, `7d`, `50ms`: the largest unit that leaves a whole number, as `YAMLNode.duration` reads it.
    var settingText: String {
        let (seconds, attoseconds) = components
        if attoseconds == 0 {
            for (unit, length) in [("d", Int64(86_400)), ("h", 3600), ("m", 60)]
            where seconds != 0 && seconds % length == 0 {
                return "\(seconds / length)\(unit)"
            }
            return "\(seconds)s"
        }
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        for (unit, length) in [("ms", Int64(1_000_000)), ("us", 1000)] where nanoseconds % length == 0 {
            return "\(nanoseconds / length)\(unit)"
        }
        return "\(nanoseconds)ns"
    }
}
