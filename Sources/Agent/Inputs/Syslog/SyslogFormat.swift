import Base
import Events

#if canImport(Glibc)
    import Glibc
#endif

/// Makes records of syslog messages.
final class SyslogFormat: SpooledFormat {
    private let settings: SyslogSettings
    private let host: String
    private let common: LineOrigin
    private var origins: [[UInt8]: LineOrigin] = [:]
    private var last: (sender: [UInt8], origin: LineOrigin)?

    init(settings: SyslogSettings, host: String) {
        self.settings = settings
        self.host = host
        common = LineOrigin(
            source: SourceKey("\(host)/\(settings.name)"), topic: settings.topic, headers: settings.headers,
            relief: settings.relief)
    }

    /// One origin for each sender's address, up to as many as are configured; the others share one, as those without an address do.
    func origin(of sender: UnsafeRawBufferPointer) -> LineOrigin {
        guard !sender.isEmpty else { return common }
        if let last, last.sender.elementsEqual(sender) { return last.origin }
        let key = Array(sender)
        let origin = origins[key] ?? newOrigin(key)
        last = (key, origin)
        return origin
    }

    private func newOrigin(_ sender: [UInt8]) -> LineOrigin {
        guard origins.count < settings.sendersMax else { return common }
        let origin = LineOrigin(
            source: SourceKey("\(host)/\(settings.name)/\(Self.text(of: sender))"), topic: settings.topic,
            headers: settings.headers, relief: settings.relief)
        origins[sender] = origin
        return origin
    }

    func append(_ frame: SpoolFormat.Frame, to value: inout [UInt8]) -> Bool {
        let message = SyslogMessage(frame.message)
        switch settings.value {
        case .raw: value += frame.message
        case .message: value += frame.message[message.message]
        case .json: appendJSON(message, frame, to: &value)
        }
        return !value.isEmpty
    }

    private func appendJSON(_ message: SyslogMessage, _ frame: SpoolFormat.Frame, to value: inout [UInt8]) {
        func field(_ name: StaticString, _ range: Range<Int>?) {
            guard let range else { return }
            Self.append(name, to: &value)
            JSONWriter.append(bytes: UnsafeRawBufferPointer(rebasing: frame.message[range]), to: &value)
        }
        value += "{\"received\":".utf8
        JSONWriter.append(frame.received, to: &value)
        if !frame.sender.isEmpty {
            Self.append("sender", to: &value)
            JSONWriter.append(Self.text(of: Array(frame.sender)), to: &value)
        }
        Self.append("facility", to: &value)
        JSONWriter.append(SyslogMessage.facilityNames[message.facility], to: &value)
        Self.append("severity", to: &value)
        JSONWriter.append(SyslogMessage.severityNames[message.severity], to: &value)
        field("timestamp", message.timestamp)
        field("host", message.host)
        field("app", message.app)
        field("process", message.process)
        field("message_id", message.messageID)
        if let structured = message.structured {
            Self.append("structured", to: &value)
            Self.append(structured: UnsafeRawBufferPointer(rebasing: frame.message[structured]), to: &value)
        }
        field("message", message.message)
        value.append(UInt8(ascii: "}"))
    }

    private static func append(_ name: StaticString, to value: inout [UInt8]) {
        value += ",\"".utf8
        value += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        value += "\":".utf8
    }

    /// Elements that `SyslogCursor.structuredData` took, as an object of objects. Of a name that comes twice both stand there, as they came.
    private static func append(structured bytes: UnsafeRawBufferPointer, to value: inout [UInt8]) {
        let cursor = SyslogCursor(bytes)
        var place = 0
        var unescaped: [UInt8] = []
        value.append(UInt8(ascii: "{"))
        while place < bytes.count {
            if place > 0 { value.append(UInt8(ascii: ",")) }
            var end = cursor.nameEnd(from: place + 1)!
            JSONWriter.append(bytes: UnsafeRawBufferPointer(rebasing: bytes[(place + 1)..<end]), to: &value)
            value += ":{".utf8
            var isFirst = true
            while bytes[end] == 0x20 {
                if !isFirst { value.append(UInt8(ascii: ",")) }
                isFirst = false
                let equals = cursor.nameEnd(from: end + 1)!
                JSONWriter.append(bytes: UnsafeRawBufferPointer(rebasing: bytes[(end + 1)..<equals]), to: &value)
                value.append(UInt8(ascii: ":"))
                let close = cursor.valueEnd(from: equals + 2)!
                unescaped.removeAll(keepingCapacity: true)
                unescape(UnsafeRawBufferPointer(rebasing: bytes[(equals + 2)..<(close - 1)]), to: &unescaped)
                unescaped.withUnsafeBytes { JSONWriter.append(bytes: $0, to: &value) }
                end = close
            }
            value.append(UInt8(ascii: "}"))
            place = end + 1
        }
        value.append(UInt8(ascii: "}"))
    }

    /// `\"`, `\\` and `\]` stand for the second character; any other backslash for itself (RFC 5424 §6.3.3).
    private static func unescape(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        var place = 0
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "\\"), place + 1 < bytes.count,
                [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]")].contains(bytes[place + 1])
            {
                place += 1
            }
            text.append(bytes[place])
            place += 1
        }
    }

    /// An IPv4 or IPv6 address.
    static func text(of sender: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = sender.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, sender, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
