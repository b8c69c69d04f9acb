public import Base

/// `parse: nginx_error`: a line of nginx's error log.
///
///     2026/11/22 07:04:05 [error] 31#31: *42 open() "/srv/x" failed (2: No such file or directory), client: 203.0.113.7, server: example.com, request: "GET /x HTTP/1.1", host: "example.com"
///
/// What nginx appends about the request (`client`, `server`, `request`, `subrequest`, `upstream`, `host`, `referrer`, `login`) becomes fields where it stands,
/// in its order, up to the line's end; else it stays part of `message`. nginx writes no zone: it is the parser's, UTC by default. Lines are cut at
/// 2,048 bytes by nginx; a value whose quote is cut off is taken as it is.
public struct NginxErrorLineParser: LineParser {
    private static let names = [
        "time", "level", "pid", "tid", "connection", "message", "client", "server", "request", "subrequest",
        "upstream", "host", "referrer", "login",
    ]
    private static let layout = RowLayout(names)
    /// In the order in which nginx appends them, from this one on.
    private static let firstDetail = 6
    private static let levels: Set<String> = [
        "debug", "info", "notice", "warn", "error", "crit", "alert", "emerg",
    ]
    private static let time: TimePattern = {
        // The pattern is ours: it is understood, or nothing here works.
        do { return try TimePattern("%Y/%m/%d %H:%M:%S") } catch { fatalError("\(error)") }
    }()

    private let zone: Int

    /// - Parameter zone: seconds east of Greenwich by which the host's clock writes.
    public init(zone: Int = 0) { self.zone = zone }

    public var fields: [(name: String, type: ValueType)]? {
        Self.names.map { name in
            switch name {
            case "time": (name, .timestamp)
            case "pid", "tid", "connection": (name, .int)
            default: (name, .string)
            }
        }
    }

    public func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        var place = 0
        guard let local = Self.time.prefix(of: line, &place, received: .none), Self.skip(line, &place, " [") else {
            throw ParseError(at: 0, "a time and a level, '2026/11/22 07:04:05 [error] ', are wanted")
        }
        let levelStart = place
        while place < line.count, line[place] != UInt8(ascii: "]") { place += 1 }
        let level = UnsafeRawBufferPointer(rebasing: line[levelStart..<place])
        guard Self.levels.contains(String(decoding: level, as: UTF8.self)), Self.skip(line, &place, "] ") else {
            throw ParseError(at: levelStart, "a level such as 'error' is wanted")
        }
        guard let pid = Self.number(line, &place), Self.skip(line, &place, "#"), let tid = Self.number(line, &place),
            Self.skip(line, &place, ": ")
        else { throw ParseError(at: place, "a process and a thread, '31#31: ', are wanted") }
        var connection = Cell.null
        let mark = place
        if Self.skip(line, &place, "*") {
            if let number = Self.number(line, &place), Self.skip(line, &place, " ") {
                connection = .int(number)
            } else {
                place = mark
            }
        }
        row.begin(Self.layout)
        row.append(.timestamp(Timestamp(milliseconds: local.milliseconds - Int64(zone) * 1000)))
        row.append(.text(level))
        row.append(.int(pid))
        row.append(.int(tid))
        row.append(connection)
        fill(&row, with: UnsafeRawBufferPointer(rebasing: line[place...]))
    }

    private func fill(_ row: inout Row, with rest: UnsafeRawBufferPointer) {
        var start = 0
        while let end = Self.find(", client: ", in: rest, from: start) {
            if let details = Self.details(rest, from: end) {
                row.append(.text(TextRepair.text(UnsafeRawBufferPointer(rebasing: rest[..<end]), in: &row.arena)))
                for range in details {
                    guard let range else {
                        row.append(.null)
                        continue
                    }
                    let bytes = UnsafeRawBufferPointer(rebasing: rest[range])
                    row.append(.text(TextRepair.text(bytes, in: &row.arena)))
                }
                return
            }
            start = end + 1
        }
        row.append(.text(TextRepair.text(rest, in: &row.arena)))
        for _ in Self.firstDetail..<Self.names.count { row.append(.null) }
    }

    /// The values from `, client: ` at `start` to the end, in the order of the names; nil where something else stands between them.
    private static func details(_ bytes: UnsafeRawBufferPointer, from start: Int) -> [Range<Int>?]? {
        var values = [Range<Int>?](repeating: nil, count: names.count - firstDetail)
        var place = start
        var next = 0
        while place < bytes.count {
            guard
                let number = (next..<values.count).first(where: { number in
                    var mark = place
                    return skip(bytes, &mark, ", \(names[firstDetail + number]): ")
                })
            else { return nil }
            place += names[firstDetail + number].utf8.count + 4
            next = number + 1
            if place < bytes.count, bytes[place] == UInt8(ascii: "\"") {
                place += 1
                let end = quoteEnd(bytes, from: place)
                values[number] = place..<end
                place = min(end + 1, bytes.count)
            } else {
                let valueStart = place
                // Neither an address nor a server's name holds a comma.
                while place < bytes.count, bytes[place] != UInt8(ascii: ",") { place += 1 }
                values[number] = valueStart..<place
            }
        }
        return values
    }

    /// The quote that ends the value: one that the line's end or another detail follows, for a request may hold quotes itself.
    private static func quoteEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var place = start
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "\"") {
                if place + 1 == bytes.count { return place }
                for name in names[firstDetail...] {
                    var mark = place + 1
                    if skip(bytes, &mark, ", \(name): ") { return place }
                }
            }
            place += 1
        }
        return bytes.count
    }

    private static func skip(_ bytes: UnsafeRawBufferPointer, _ place: inout Int, _ text: String) -> Bool {
        let end = place + text.utf8.count
        guard end <= bytes.count, bytes[place..<end].elementsEqual(text.utf8) else { return false }
        place = end
        return true
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> Int64? {
        let start = place
        var number: Int64 = 0
        while place < bytes.count, place - start < 18, case let digit = bytes[place] &- UInt8(ascii: "0"), digit < 10 {
            number = number * 10 + Int64(digit)
            place += 1
        }
        return place > start ? number : nil
    }

    private static func find(_ text: String, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var place = start
        let count = text.utf8.count
        while place + count <= bytes.count {
            if bytes[place] == UInt8(ascii: ","), bytes[place..<place + count].elementsEqual(text.utf8) { return place }
            place += 1
        }
        return nil
    }
}
