/// The tables that are no messages: error codes, API keys and what Kafka advertises.
enum TableEmitter {
    struct ErrorRow {
        var code: Int
        var name: String
        var isRetriable: Bool
    }

    struct ApiRow {
        var name: String
        var key: Int
        var versions: VersionRange
        var firstFlexible: Int?
    }

    // MARK: Reading

    private static func rows(_ text: String) -> [(line: Int, words: [String])] {
        var rows: [(line: Int, words: [String])] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(separator: " ").map(String.init)
            if words.isEmpty || words[0].hasPrefix("#") { continue }
            rows.append((index + 1, words))
        }
        return rows
    }

    static func errorRows(_ text: String, path: String) throws(SchemaError) -> [ErrorRow] {
        var result: [ErrorRow] = []
        for (line, words) in rows(text) {
            guard words.count >= 2, let code = Int(words[0]), words.count == 2 || words[2] == "retriable" else {
                throw SchemaError(path: path, line: line, message: "expected: CODE NAME [retriable]")
            }
            result.append(ErrorRow(code: code, name: words[1], isRetriable: words.count == 3))
        }
        return result
    }

    static func apiRows(_ text: String, path: String) throws(SchemaError) -> [ApiRow] {
        var result: [ApiRow] = []
        for (line, words) in rows(text) {
            guard words.count >= 3, let key = Int(words[1]), let versions = VersionRange(words[2]) else {
                throw SchemaError(path: path, line: line, message: "expected: NAME KEY VERSIONS [flexible N+]")
            }
            let flexible = words.count == 5 && words[3] == "flexible" ? VersionRange(words[4])?.lower : nil
            result.append(ApiRow(name: words[0], key: key, versions: versions, firstFlexible: flexible))
        }
        return result
    }

    // MARK: Writing

    static func emitErrors(_ rows: [ErrorRow], into out: inout SwiftText) {
        out.block("extension ErrorCode") { out in
            for row in rows {
                out.line("public static let \(SwiftNames.camelCase(row.name)) = ErrorCode(rawValue: \(row.code))")
            }
            out.line()
            out.line(
                "/// Whether the same request may succeed later, perhaps at another broker or with fresh metadata.")
            out.block("public var isRetriable: Bool") { out in
                out.line("switch rawValue {")
                let codes = rows.filter { $0.isRetriable }.map { String($0.code) }
                out.line("case \(codes.joined(separator: ", ")): return true")
                out.line("default: return false")
                out.line("}")
            }
            out.line()
            out.line("/// Every code that Kafka 4.1 knows.")
            out.line(
                "public static let all: [ErrorCode] = (\(rows[0].code)...\(rows[rows.count - 1].code)).map { ErrorCode(rawValue: $0) }"
            )
            out.line()
            out.block("var name: String?") { out in
                out.line("switch rawValue {")
                for row in rows { out.line("case \(row.code): return \"\(row.name)\"") }
                out.line("default: return nil")
                out.line("}")
            }
        }
    }

    static func emitApiKeys(_ rows: [ApiRow], into out: inout SwiftText) {
        out.line("/// What a request asks for: the number that begins it.")
        out.block("public enum ApiKey: Int16, Sendable, CaseIterable, Hashable") { out in
            for row in rows { out.line("case \(SwiftNames.lowerFirst(row.name)) = \(row.key)") }
            out.line()
            out.line("/// The first version with compact lengths and tagged fields; nil where there is none.")
            out.block("public var firstFlexibleVersion: Int16?") { out in
                out.line("switch self {")
                for row in rows {
                    let value = row.firstFlexible.map(String.init) ?? "nil"
                    out.line("case .\(SwiftNames.lowerFirst(row.name)): return \(value)")
                }
                out.line("}")
            }
        }
        out.line()
        out.line("/// What Apache Kafka 4.1 answers to ApiVersions.")
        out.block("public enum ApiVersionTable") { out in
            out.line("/// The versions of an API that Kafka 4.1 advertises. Millrace serves a part of these APIs.")
            out.block("public static func versions(of api: ApiKey) -> ClosedRange<Int16>") { out in
                out.line("switch api {")
                for row in rows {
                    let range = "\(row.versions.lower)...\(row.versions.upper)"
                    out.line("case .\(SwiftNames.lowerFirst(row.name)): return \(range)")
                }
                out.line("}")
            }
        }
    }
}
