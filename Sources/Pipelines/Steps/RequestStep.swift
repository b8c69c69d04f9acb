import Events
import Settings

/// `request: {field: request}` takes nginx's `$request` apart: `GET /a?b=1 HTTP/1.1` becomes `method`, `path`, `query` and `protocol`. Null where a part is missing, all
/// of them for what is no request line.
struct RequestStep: RowStep {
    static let name = "request"
    var field: String
    var prefix: String

    private static let parts = ["method", "path", "query", "protocol"]

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        var values: [String?] = [nil, nil, nil, nil]
        if case .string(let line) = record.event[field] { values = Self.parts(of: line) }
        for (part, value) in zip(Self.parts, values) {
            record.event[prefix + part] = value.map { .string($0) } ?? .null
        }
        return true
    }

    private static func parts(of line: String) -> [String?] {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3 || words.count == 2, let method = words.first, !method.isEmpty,
            words.count == 2 || words[2].hasPrefix("HTTP/"),
            method.utf8.allSatisfy({ 0x41...0x5a ~= $0 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") })
        else { return [nil, nil, nil, nil] }
        let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return [
            String(method), String(target[0]), target.count > 1 ? String(target[1]) : nil,
            words.count == 3 ? String(words[2]) : nil,
        ]
    }

    func fields(after fields: [FieldType]) -> [FieldType] {
        Self.parts.reduce(fields) { $0.setting(prefix + $1, to: .string) }
    }
}

extension RequestStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        var members = try node.mapping()
        field = try members.string("field", default: "request")
        prefix = try members.string("prefix", default: "")
        try members.finish()
    }
}
