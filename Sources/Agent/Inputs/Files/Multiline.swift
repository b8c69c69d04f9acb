import Base

#if canImport(Glibc)
    import Glibc
#endif

/// Which lines of a file make one event, and so one record: a stack trace with the line that it belongs to.
///
/// An event ends before the line that begins the next, or when nothing came for `timeout`; it also ends where the file does, and before
/// it would be longer than the source's longest line. Every event is whole lines: positions stand between events.
public struct Multiline: Sendable, Equatable {
    enum Rule: Sendable, Equatable {
        /// A line that matches begins an event.
        case start(LinePattern)
        /// A line that matches belongs to the one before it.
        case continuation(LinePattern)
    }

    public static let timeout = Duration.seconds(1)

    let rule: Rule
    /// How long the last event of a file waits for more.
    public var timeout: Duration

    init(_ rule: Rule, timeout: Duration = Self.timeout) {
        self.rule = rule
        self.timeout = timeout
    }

    /// - Parameter start: a POSIX extended regular expression that the first line of each event matches, and no other.
    public init(start: String, timeout: Duration = Self.timeout) throws(InputSettingsError) {
        self.init(.start(try LinePattern(start)), timeout: timeout)
    }

    /// - Parameter continuation: a POSIX extended regular expression that all lines of an event match but the first.
    public init(continuation: String, timeout: Duration = Self.timeout) throws(InputSettingsError) {
        self.init(.continuation(try LinePattern(continuation)), timeout: timeout)
    }

    /// What is known by name.
    public enum Preset: String, Sendable, CaseIterable {
        /// Exceptions with their frames and causes, joined to the line that logged them.
        case java
        /// nginx's error log: messages of an application may hold newlines.
        case nginxError = "nginx_error"

        public var multiline: Multiline {
            switch self {
            case .java:
                try! Multiline(
                    continuation:
                        #"^([[:space:]]|Caused by: |Suppressed: |[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)+(: |$))"#
                )
            case .nginxError: try! Multiline(start: #"^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} \["#)
            }
        }
    }

    private func begins(_ line: UnsafeRawBufferPointer) -> Bool {
        switch rule {
        case .start(let pattern): pattern.matches(line)
        case .continuation(let pattern): !pattern.matches(line)
        }
    }

    /// Where the events end that begin in `lines`, which are whole lines: the last only if it can't go on (`isLastWhole`).
    func ends(in lines: UnsafeRawBufferPointer, bytesMax: Int, isLastWhole: Bool) -> [Int] {
        var ends: [Int] = []
        var eventStart = 0
        var lineStart = 0
        while lineStart < lines.count {
            let line = lines.baseAddress! + lineStart
            let length = UnsafeRawPointer(memchr(line, 0x0A, lines.count - lineStart)!) - line
            let isFirst = lineStart == eventStart
            if !isFirst, lineStart + length - eventStart > bytesMax || begins(.init(start: line, count: length)) {
                ends.append(lineStart)
                eventStart = lineStart
            }
            lineStart += length + 1
        }
        if isLastWhole, eventStart < lines.count { ends.append(lines.count) }
        return ends
    }
}
