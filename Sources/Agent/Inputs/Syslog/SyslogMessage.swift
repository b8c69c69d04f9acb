/// What a syslog message says, as ranges of its bytes (RFC 5424, RFC 3164 and what is really sent under that name).
///
/// Nothing is refused: what isn't understood is message. Without a priority it is `user.notice`, as RFC 3164 §4.3.3 asks.
struct SyslogMessage: Equatable {
    enum Form: String { case rfc5424, rfc3164, none }

    var form = Form.none
    /// 0 (`kern`) to 23 (`local7`).
    var facility = 1
    /// 0 (`emerg`) to 7 (`debug`).
    var severity = 5
    var timestamp: Range<Int>?
    var host: Range<Int>?
    var app: Range<Int>?
    var process: Range<Int>?
    var messageID: Range<Int>?
    /// One or more `[id name="value" …]`, well formed.
    var structured: Range<Int>?
    var message: Range<Int>

    static let facilityNames = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
        "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ]
    static let severityNames = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]

    init(_ bytes: UnsafeRawBufferPointer) {
        message = 0..<bytes.count
        var cursor = SyslogCursor(bytes)
        guard let priority = cursor.priority() else { return }
        facility = priority / 8
        severity = priority % 8
        form = .rfc3164
        let afterPriority = cursor
        message = cursor.index..<bytes.count
        if readModern(&cursor) {
            form = .rfc5424
        } else {
            cursor = afterPriority
            readOld(&cursor)
        }
    }

    /// `VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP STRUCTURED-DATA [SP MSG]`; false where it isn't that, and nothing is taken.
    private mutating func readModern(_ cursor: inout SyslogCursor) -> Bool {
        guard cursor.take("1 "),
            let timestamp = cursor.field(bytesMax: 64),
            SyslogCursor.isNil(timestamp, cursor.bytes) || cursor.isDate(timestamp),
            let host = cursor.field(bytesMax: 255), let app = cursor.field(bytesMax: 48),
            let process = cursor.field(bytesMax: 128), let messageID = cursor.field(bytesMax: 32),
            let structured = cursor.structuredData()
        else { return false }
        func value(_ range: Range<Int>) -> Range<Int>? { SyslogCursor.isNil(range, cursor.bytes) ? nil : range }
        self.timestamp = value(timestamp)
        self.host = value(host)
        self.app = value(app)
        self.process = value(process)
        self.messageID = value(messageID)
        self.structured = value(structured)
        _ = cursor.take(" ")
        _ = cursor.take("\u{FEFF}")
        message = cursor.index..<cursor.bytes.count
        return true
    }

    /// `Mmm dd hh:mm:ss [HOSTNAME] TAG[PID]: MSG`, or with a date of RFC 3339 in front. Each part may be missing.
    private mutating func readOld(_ cursor: inout SyslogCursor) {
        if let date = cursor.oldDate() {
            timestamp = date
        } else if let date = cursor.peekField(bytesMax: 64), cursor.isDate(date) {
            timestamp = date
            cursor.index = date.upperBound + 1
        } else {
            // Without a date there is no host either (RFC 3164 §4.3.2), yet many send a tag.
            if let tag = cursor.tag() { take(tag, cursor) }
            return
        }
        message = cursor.index..<cursor.bytes.count
        if let tag = cursor.tag() { return take(tag, cursor) }
        guard let host = cursor.peekField(bytesMax: 255) else { return }
        self.host = host
        cursor.index = host.upperBound + 1
        message = cursor.index..<cursor.bytes.count
        if let tag = cursor.tag() { take(tag, cursor) }
    }

    private mutating func take(_ tag: SyslogCursor.Tag, _ cursor: SyslogCursor) {
        app = tag.app
        process = tag.process
        message = tag.end..<cursor.bytes.count
    }
}

/// Where a parser stands in a message.
struct SyslogCursor {
    let bytes: UnsafeRawBufferPointer
    var index = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private func byte(at place: Int) -> UInt8? { place < bytes.count ? bytes[place] : nil }

    mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count else { return false }
        for place in 0..<count where bytes[index + place] != text.utf8Start[place] { return false }
        index += count
        return true
    }

    /// `<0>` to `<191>`.
    mutating func priority() -> Int? {
        guard byte(at: index) == UInt8(ascii: "<") else { return nil }
        var place = index + 1
        var value = 0
        while let digit = byte(at: place), (0x30...0x39).contains(digit), place - index <= 3 {
            value = value * 10 + Int(digit - 0x30)
            place += 1
        }
        guard place > index + 1, byte(at: place) == UInt8(ascii: ">"), value <= 191 else { return nil }
        index = place + 1
        return value
    }

    /// Printable ASCII up to the next space, which is left behind.
    mutating func field(bytesMax: Int) -> Range<Int>? {
        guard let range = peekField(bytesMax: bytesMax) else { return nil }
        index = range.upperBound + 1
        return range
    }

    /// As `field`, and stays where it is.
    func peekField(bytesMax: Int) -> Range<Int>? {
        var place = index
        while let byte = byte(at: place), byte > 0x20, byte < 0x7F, place - index < bytesMax { place += 1 }
        return place > index && byte(at: place) == 0x20 ? index..<place : nil
    }

    static func isNil(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        range.count == 1 && bytes[range.lowerBound] == UInt8(ascii: "-")
    }

    /// Whether it begins as `2003-10-11T22:14:15` does.
    func isDate(_ range: Range<Int>) -> Bool { matches("dddd-dd-ddTdd:dd:dd", at: range.lowerBound) }

    /// `Mmm dd hh:mm:ss` and a space, where a day below ten may have a space or a zero in front.
    mutating func oldDate() -> Range<Int>? {
        guard matches("aaa  d dd:dd:dd ", at: index) || matches("aaa dd dd:dd:dd ", at: index) else { return nil }
        defer { index += 16 }
        return index..<index + 15
    }

    /// `d` is a digit, `a` a letter, all else itself.
    private func matches(_ pattern: StaticString, at start: Int) -> Bool {
        guard start + pattern.utf8CodeUnitCount <= bytes.count else { return false }
        for place in 0..<pattern.utf8CodeUnitCount {
            let byte = bytes[start + place]
            switch pattern.utf8Start[place] {
            case UInt8(ascii: "d"): guard (0x30...0x39).contains(byte) else { return false }
            case UInt8(ascii: "a"): guard (0x61...0x7A).contains(byte | 0x20) else { return false }
            case let literal: guard byte == literal else { return false }
            }
        }
        return true
    }

    struct Tag {
        var app: Range<Int>
        var process: Range<Int>?
        /// Where the message begins.
        var end: Int
    }

    static let tagBytesMax = 64

    /// `name: `, or `name[123]: `; nil where it isn't that.
    func tag() -> Tag? {
        var place = index
        while let byte = byte(at: place), place - index <= Self.tagBytesMax {
            if byte == UInt8(ascii: ":") || byte == UInt8(ascii: "[") { break }
            guard byte > 0x20, byte < 0x7F else { return nil }
            place += 1
        }
        let app = index..<place
        guard !app.isEmpty, app.count <= Self.tagBytesMax else { return nil }
        var process: Range<Int>?
        if byte(at: place) == UInt8(ascii: "[") {
            let start = place + 1
            place = start
            while let byte = byte(at: place), byte != UInt8(ascii: "]") {
                guard byte > 0x20, byte < 0x7F, place - start < Self.tagBytesMax else { return nil }
                place += 1
            }
            guard place > start, byte(at: place) == UInt8(ascii: "]") else { return nil }
            process = start..<place
            place += 1
        }
        guard byte(at: place) == UInt8(ascii: ":") else { return nil }
        place += 1
        // An address (`::1`, `10.0.0.1:514`) is no tag.
        guard let next = byte(at: place) else { return Tag(app: app, process: process, end: place) }
        guard next == 0x20 else { return nil }
        return Tag(app: app, process: process, end: place + 1)
    }

    /// `-`, or elements in brackets; nil where they aren't well formed.
    mutating func structuredData() -> Range<Int>? {
        let start = index
        if take("-") { return isAtFieldEnd ? start..<index : nil }
        var place = index
        while byte(at: place) == UInt8(ascii: "[") {
            guard let end = elementEnd(from: place) else { return nil }
            place = end
        }
        guard place > start else { return nil }
        index = place
        return isAtFieldEnd ? start..<place : nil
    }

    private var isAtFieldEnd: Bool { index == bytes.count || bytes[index] == 0x20 }

    private func elementEnd(from start: Int) -> Int? {
        guard var place = nameEnd(from: start + 1) else { return nil }
        while byte(at: place) == 0x20 {
            guard let equals = nameEnd(from: place + 1), byte(at: equals) == UInt8(ascii: "="),
                byte(at: equals + 1) == UInt8(ascii: "\""), let end = valueEnd(from: equals + 2)
            else { return nil }
            place = end
        }
        return byte(at: place) == UInt8(ascii: "]") ? place + 1 : nil
    }

    func nameEnd(from start: Int) -> Int? {
        var place = start
        while let byte = byte(at: place), byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "="),
            byte != UInt8(ascii: "]"), byte != UInt8(ascii: "\"")
        {
            place += 1
        }
        return place > start ? place : nil
    }

    /// Behind the closing quote.
    func valueEnd(from start: Int) -> Int? {
        var place = start
        while let byte = byte(at: place) {
            switch byte {
            case UInt8(ascii: "\""): return place + 1
            case UInt8(ascii: "]"): return nil
            case UInt8(ascii: "\\"): place += 2
            default: place += 1
            }
        }
        return nil
    }
}
