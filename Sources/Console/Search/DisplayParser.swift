import Events

/// How the console reads a record when nobody said: JSON where the line is an object, nginx's `combined` for `nginx.access`, else the line as it
/// is. A line of another shape is not refused. Every event has the field `line` as well.
struct DisplayParser: Sendable {
    enum Kind: String, Sendable { case auto, nginx, json, journal, raw }

    let kind: Kind
    let topic: String

    init(kind: Kind = .auto, topic: String) {
        self.kind = kind
        self.topic = topic
    }

    /// nginx's combined format, and the same with the request's time behind, as many write it.
    static let timed: NginxLineParser = {
        do { return NginxLineParser(try LogFormat(LogFormat.combinedText + " $request_time")) } catch {
            // A constant of this file: a mistake in it is a bug that the first test meets.
            fatalError("combined with $request_time: \(error)")
        }
    }()

    func event(_ bytes: UnsafeRawBufferPointer) -> Event {
        var event = parsed(bytes) ?? Event()
        if event["line"].isNull { event["line"] = .string(TextRepair.string(bytes)) }
        return event
    }

    /// The fields that a parser found; nil where the line is only a line.
    func parsed(_ bytes: UnsafeRawBufferPointer) -> Event? {
        switch kind {
        case .raw: return nil
        case .json: return try? JSONLineParser().parse(bytes)
        case .journal: return try? JournalLineParser().parse(bytes)
        case .nginx: return Self.nginx(bytes)
        case .auto:
            if bytes.first == UInt8(ascii: "{") { return try? JournalLineParser().parse(bytes) }
            return topic.hasPrefix("nginx.access") ? Self.nginx(bytes) : nil
        }
    }

    static func nginx(_ bytes: UnsafeRawBufferPointer) -> Event? {
        do { return try NginxLineParser.combined.parse(bytes) } catch { return try? timed.parse(bytes) }
    }
}
