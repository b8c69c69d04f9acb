import Events
import Settings

/// Reads what stands under a parser's name in `parse`.
enum ParserSettings {
    static let names = [
        "nginx", "nginx_error", "json", "journal", "logfmt", "csv", "syslog", "dissect", "regex", "raw",
    ]

    static func parser(_ name: String, at place: Place, options: YAMLNode?) throws(SettingsError) -> any LineParser {
        // `dissect: PATTERN` and `regex: PATTERN` are short for `{pattern: PATTERN}`.
        if let options, case .scalar = options.value, !options.isNull, name == "dissect" || name == "regex" {
            return name == "dissect" ? try dissect(options) : try regex(options, matchLimit: Regex.matchLimit)
        }
        var mapping = try (options ?? YAMLNode(.mapping([]), at: place)).mapping()
        let parser: any LineParser
        switch name {
        case "json": parser = JSONLineParser()
        case "logfmt": parser = LogfmtLineParser()
        case "journal": parser = JournalLineParser()
        case "raw": parser = RawLineParser()
        case "nginx": parser = try nginx(&mapping, at: place)
        case "nginx_error": parser = NginxErrorLineParser(zone: try zone(&mapping))
        case "csv": parser = try csv(&mapping)
        case "syslog":
            let format = try mapping.choice("format", default: SyslogLineParser.Format.auto)
            parser = SyslogLineParser(format: format, zone: try zone(&mapping))
        case "dissect": parser = try dissect(try mapping.required("pattern"))
        case "regex":
            let limit = try mapping.int("match_limit", default: Regex.matchLimit, in: 100...100_000_000)
            parser = try regex(try mapping.required("pattern"), matchLimit: limit)
        default: throw SettingsError.unknownName(name, kind: "parser", known: names, at: place)
        }
        try mapping.finish()
        return parser
    }

    /// Seconds east of Greenwich.
    static func zone(_ mapping: inout SettingsMapping) throws(SettingsError) -> Int {
        guard let node = mapping.node("zone") else { return 0 }
        guard let zone = TimeText.zone(try node.string()) else {
            throw node.expected("an offset from UTC such as '+01:00' (daylight saving is not known by it), or UTC")
        }
        return zone
    }

    private static func nginx(_ mapping: inout SettingsMapping, at place: Place) throws(SettingsError) -> any LineParser
    {
        let format = mapping.node("log_format")
        let escape = try mapping.choice("escape", default: LogFormat.Escape.default)
        let text = try format?.string() ?? "combined"
        do throws(LogFormatError) { return NginxLineParser(try LogFormat(text, escape: escape)) } catch {
            throw SettingsError(error.description, at: format?.place ?? place)
        }
    }

    private static func csv(_ mapping: inout SettingsMapping) throws(SettingsError) -> any LineParser {
        let node = try mapping.required("columns")
        let columns = try node.strings()
        guard !columns.isEmpty else { throw node.expected("at least one column") }
        if let twin = columns.first(where: { name in columns.count { $0 == name } > 1 }) {
            throw SettingsError("two columns are called '\(twin)'", at: node.place)
        }
        let delimiterNode = mapping.node("delimiter")
        let text = try delimiterNode?.string() ?? ","
        guard text.utf8.count == 1, let delimiter = text.utf8.first, delimiter < 0x80,
            !"\"\r\n".utf8.contains(delimiter)
        else { throw (delimiterNode ?? node).expected("one character such as ',' or \"\\t\"") }
        return CSVLineParser(columns: columns, delimiter: delimiter)
    }

    private static func dissect(_ node: YAMLNode) throws(SettingsError) -> any LineParser {
        let pattern = try node.string()
        do throws(DissectLineParser.Problem) { return try DissectLineParser(pattern) } catch {
            throw SettingsError("dissect: \(error)", at: node.place)
        }
    }

    private static func regex(_ node: YAMLNode, matchLimit: Int) throws(SettingsError) -> any LineParser {
        let pattern = try node.string()
        let compiled: Regex
        do throws(Regex.Problem) { compiled = try Regex(pattern, matchLimit: matchLimit) } catch {
            throw SettingsError("\(error)", at: node.place)
        }
        do throws(RegexLineParser.NoFields) {
            return try RegexLineParser(compiled, matchLimit: matchLimit)
        } catch { throw node.expected("a regular expression with a named group such as (?<status>[0-9]+)") }
    }
}
