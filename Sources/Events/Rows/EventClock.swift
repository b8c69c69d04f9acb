import Base

/// How a field tells when its event happened: nginx's variables, the journal's field, and what JSON logs commonly call it.
enum EventClock: Sendable {
    /// ISO 8601.
    case iso
    /// nginx `$time_local`; from `parse: nginx` it is a time already, in a JSON log it is nginx's text.
    case nginxLocal
    /// Seconds since 1970, with a fraction.
    case seconds
    /// Microseconds since 1970.
    case microseconds

    init?(field name: String) {
        switch name {
        case "time_iso8601", "@timestamp", "timestamp", "time", "ts": self = .iso
        case "time_local": self = .nginxLocal
        case "msec": self = .seconds
        case "__REALTIME_TIMESTAMP": self = .microseconds
        default: return nil
        }
    }

    /// Nil for what is no time.
    func time(_ cell: Cell) -> Timestamp? {
        switch (self, cell) {
        case (.iso, .timestamp(let time)), (.nginxLocal, .timestamp(let time)): time
        case (.iso, .text(let text)): TimeText.iso8601(text)
        case (.nginxLocal, .text(let text)): TimeText.nginxLocal(text) ?? TimeText.iso8601(text)
        case (.seconds, .double(let seconds)) where seconds > 0 && seconds < 1e11:
            Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        case (.seconds, .int(let seconds)) where seconds > 0 && seconds < 100_000_000_000:
            Timestamp(milliseconds: seconds * 1000)
        case (.seconds, .text(let text)): TimeText.epochSeconds(text)
        case (.microseconds, .text(let text)): TimeText.epochMicroseconds(text)
        case (.microseconds, .int(let number)) where number > 0: Timestamp(milliseconds: number / 1000)
        case (_, .null), (_, .bool), (_, .int), (_, .double), (_, .timestamp), (_, .json): nil
        }
    }
}
