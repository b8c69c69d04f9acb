import Base
import CYaml

/// Limits on a configuration file; files come from the operator, yet a wrong path must not eat the memory.
public enum YAMLLimits {
    public static let fileBytesMax = ByteCount.mib(4)
    public static let depthMax = 64
    public static let nodesMax = 100_000
}

extension YAMLNode {
    /// Parses one YAML 1.1 document with libyaml. Duplicate keys, anchors with aliases and a second document are errors: each
    /// would make a configuration say something that its reader doesn't see.
    public static func parse(_ text: String, file: String) throws(SettingsError) -> YAMLNode {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else {
            throw SettingsError("out of memory", at: Place(file: file, line: 0, column: 0))
        }
        defer { yaml_parser_delete(&parser) }
        // The bytes must stay where they are while the parser reads them.
        let bytes = Array(text.utf8)
        let result: Result<YAMLNode, SettingsError> = bytes.withUnsafeBufferPointer { buffer in
            yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            var builder = TreeBuilder(parser: &parser, file: file)
            do throws(SettingsError) {
                return .success(try builder.document())
            } catch { return .failure(error) }
        }
        return try result.get()
    }
}

private struct TreeBuilder {
    var parser: UnsafeMutablePointer<yaml_parser_t>
    let file: String
    var nodeCount = 0

    init(parser: UnsafeMutablePointer<yaml_parser_t>, file: String) {
        self.parser = parser
        self.file = file
    }

    /// One event, copied out of libyaml's memory.
    struct Event {
        var type: yaml_event_type_t
        var place: Place
        var text = ""
        var isPlain = false
    }

    mutating func next() throws(SettingsError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
        defer { yaml_event_delete(&event) }
        let place = Place(file: file, line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
        var copy = Event(type: event.type, place: place)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            copy.text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            copy.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
        case YAML_ALIAS_EVENT:
            throw SettingsError("aliases (*name) are not supported: write the value out", at: place)
        default: break
        }
        return copy
    }

    func syntaxError() -> SettingsError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not valid YAML"
        let mark = parser.pointee.problem_mark
        let hint = problem.contains("cannot start any token") ? " (is there a tab? indent with spaces)" : ""
        return SettingsError(
            problem + hint, at: Place(file: file, line: Int(mark.line) + 1, column: Int(mark.column) + 1))
    }

    mutating func document() throws(SettingsError) -> YAMLNode {
        _ = try next()  // stream start
        let start = try next()
        if start.type == YAML_STREAM_END_EVENT {
            return YAMLNode(.mapping([]), at: Place(file: file, line: 1, column: 1))
        }
        let root = try node(try next(), depth: 0)
        _ = try next()  // document end
        let end = try next()
        guard end.type == YAML_STREAM_END_EVENT else {
            throw SettingsError("a second document (after ---) is not read: one document a file", at: end.place)
        }
        return root
    }

    mutating func node(_ event: Event, depth: Int) throws(SettingsError) -> YAMLNode {
        nodeCount += 1
        guard depth <= YAMLLimits.depthMax, nodeCount <= YAMLLimits.nodesMax else {
            throw SettingsError(
                "too deep or too large: at most \(YAMLLimits.depthMax) levels and \(YAMLLimits.nodesMax) values",
                at: event.place)
        }
        switch event.type {
        case YAML_SCALAR_EVENT:
            return YAMLNode(.scalar(event.text, isPlain: event.isPlain), at: event.place)
        case YAML_SEQUENCE_START_EVENT:
            var elements: [YAMLNode] = []
            while true {
                let element = try next()
                if element.type == YAML_SEQUENCE_END_EVENT { break }
                elements.append(try node(element, depth: depth + 1))
            }
            return YAMLNode(.sequence(elements), at: event.place)
        case YAML_MAPPING_START_EVENT:
            return YAMLNode(.mapping(try entries(depth: depth + 1)), at: event.place)
        default:
            throw SettingsError("expected a value", at: event.place)
        }
    }

    mutating func entries(depth: Int) throws(SettingsError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var seen: [String: Place] = [:]
        while true {
            let key = try next()
            if key.type == YAML_MAPPING_END_EVENT { return entries }
            guard key.type == YAML_SCALAR_EVENT else { throw SettingsError("a key must be text", at: key.place) }
            if let earlier = seen.updateValue(key.place, forKey: key.text) {
                throw SettingsError("key '\(key.text)' stands twice (first in line \(earlier.line))", at: key.place)
            }
            let value = try node(try next(), depth: depth)
            entries.append(YAMLNode.Entry(key: key.text, place: key.place, value: value))
        }
    }
}
