import CSystemd

#if canImport(Glibc)
    import Glibc
#endif

/// What runs in the process of its own: reads a journal from where it is told and writes frames (`JournalFrame`) to standard output.
///
/// It ends when standard input is closed, when nobody reads its output any more, and with the thread that started it. Meant for the agent;
/// `millrace-agent journal-reader --directory DIR < /dev/tty | xxd` shows what it says.
public enum JournalReader {
    /// Runs to the end; returns the exit status: 0 where it was told to end, 1 where the journal can't be read, 64 for a wrong command line.
    public static func run(arguments: [String]) -> CInt {
        _ = millrace_die_with_parent()
        signal(SIGPIPE, SIG_IGN)
        var output = FrameOutput()
        do {
            let options = try JournalReaderOptions(arguments: arguments)
            var loop = JournalReaderLoop(options, try JournalHandle(options))
            try loop.run(into: &output)
            return 0
        } catch let error as JournalReaderUsageError {
            output.say(.failed, error.message)
            try? output.flush()
            return 64
        } catch is OutputClosed {
            return 0
        } catch {
            output.say(.failed, "\(error)")
            try? output.flush()
            return 1
        }
    }
}

/// Nobody listens any more.
struct OutputClosed: Error {}

/// Frames on their way to standard output.
struct FrameOutput {
    var bytes: [UInt8] = []
    private static let bytesKept = 64 << 10

    mutating func say(_ kind: JournalFrame.Kind, _ text: String = "") {
        JournalFrame.append(kind, text: text, to: &bytes)
    }

    mutating func flushWhereFull() throws(OutputClosed) {
        if bytes.count >= Self.bytesKept { try flush() }
    }

    mutating func flush() throws(OutputClosed) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(1, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw OutputClosed() }
            written += count
        }
        if bytes.capacity > 1 << 20 { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
    }
}

/// Entry after entry, then a wait for more.
struct JournalReaderLoop {
    private let options: JournalReaderOptions
    private var handle: JournalHandle
    private var encoder: JournalEntryEncoder
    /// What was sent, or passed without a match.
    private var last: JournalCursor?
    /// The youngest entry that was left out since the last one that was sent.
    private var leftOut: JournalCursor?
    private var toPassOver: Int
    private var passedOver = 0
    /// Entries that were stepped to but can't be read.
    private var damaged = 0
    private var failuresInRow = 0
    /// Something between `last` and the next entry couldn't be stepped to.
    private var isPastDamage = false
    private var numbers = EntryNumbers()
    /// Every entry should be seen: there are no filters and no files that this user may not read.
    private var isComplete = false
    private var isCaughtUpSaid = false
    /// The last entry there was when it was looked; said as passed once nothing before it is left.
    private var tail: JournalCursor?
    private var tailAt: Int64 = 0

    /// The last looks 2^40 entries, or microseconds, ahead.
    private static let failuresInRowMax = 42
    /// How often a filtered reader says how far it has looked, seconds. Its last match may be removed long before another comes.
    private static let tailInterval: Int64 = 60
    private static let waitMillisecondsMax: CInt = 10_000

    init(_ options: JournalReaderOptions, _ handle: JournalHandle) {
        self.options = options
        self.handle = handle
        encoder = JournalEntryEncoder(lineBytesMax: options.entryBytesMax)
        toPassOver = options.passOver
    }

    mutating func run(into output: inout FrameOutput) throws {
        if let cursor = options.afterCursor {
            let last = JournalCursor(cursor)
            _ = numbers.skipped(before: last)
            self.last = last
            try resume(after: last, realtime: options.sinceRealtime, into: &output)
        } else {
            try seekStart()
        }
        isComplete = handle.isComplete
        var isTroubleSaid = false
        while true {
            if try advance(into: &output) {
                try send(into: &output)
                continue
            }
            report(into: &output)
            if let leftOut, let time = leftOut.realtime {
                JournalFrame.appendPassed(realtime: time, cursor: leftOut.text, to: &output.bytes)
                self.leftOut = nil
            }
            if let tail {
                // Everything up to there was looked at.
                if tail.text != last?.text, let time = tail.realtime {
                    JournalFrame.appendPassed(realtime: time, cursor: tail.text, to: &output.bytes)
                    last = tail
                }
                self.tail = nil
            } else if try lookAtTail(into: &output) {
                continue
            }
            if handle.hasFiles {
                if !isCaughtUpSaid { output.say(.caughtUp) }
                isCaughtUpSaid = true
            } else if !isTroubleSaid {
                isTroubleSaid = true
                output.say(.trouble, "there are no journal files that this user may read (group systemd-journal)")
            }
            try output.flush()
            if try wait() {
                isComplete = handle.isComplete
                if let last { try resume(after: last, into: &output) }
            }
        }
    }

    /// Steps to the next entry, around what can't be stepped to.
    private mutating func advance(into output: inout FrameOutput) throws(JournalFailure) -> Bool {
        while true {
            do {
                return try handle.next()
            } catch {
                try stepAround(error, into: &output)
            }
        }
    }

    /// Vacuuming empties a file before it is unlinked, under whoever reads it: a handle opened anew finds what is left. Where the same place
    /// fails again it is damaged: then the reader looks further on, twice as far each time.
    private mutating func stepAround(_ failure: JournalFailure, into output: inout FrameOutput) throws(JournalFailure) {
        try count(failure)
        handle = try JournalHandle(options)
        let isDamaged = failuresInRow > 1
        isPastDamage = isPastDamage || isDamaged
        let distance: UInt64 = isDamaged ? 1 << UInt64(failuresInRow - 2) : 0
        if let last {
            if isDamaged {
                try handle.seek(beyond: last, by: distance)
            } else {
                try resume(after: last, into: &output)
            }
        } else if isDamaged {
            try handle.seek(beyondHeadBy: distance, notBefore: options.sinceRealtime)
        } else {
            try seekStart()
        }
    }

    private mutating func resume(
        after last: JournalCursor, realtime: UInt64? = nil, into output: inout FrameOutput
    ) throws(JournalFailure) {
        guard let gap = try handle.resume(after: last, realtime: realtime) else { return }
        output.say(.gap, gap)
        numbers.forget()
    }

    private func seekStart() throws(JournalFailure) {
        if let time = options.sinceRealtime { try handle.seek(realtime: time) } else { try handle.seekHead() }
    }

    /// Where nothing but damage comes the reader ends, so that it isn't silent for ever.
    private mutating func count(_ failure: JournalFailure) throws(JournalFailure) {
        failuresInRow += 1
        if failuresInRow > Self.failuresInRowMax { throw failure }
    }

    private mutating func report(into output: inout FrameOutput) {
        if damaged > 0 { output.say(.gap, "\(damaged) entries are damaged and were left out") }
        if passedOver > 0 {
            output.say(.gap, "\(passedOver) entries were passed over: reading them crashed the journal reader")
        }
        damaged = 0
        passedOver = 0
    }

    private mutating func send(into output: inout FrameOutput) throws {
        if toPassOver > 0 {
            toPassOver -= 1
            passedOver += 1
            return
        }
        do {
            if try isOwn() {
                leftOut = try handle.cursor()
                failuresInRow = 0
                return reached(leftOut!, into: &output)
            }
            try encode(into: &output)
            leftOut = nil
            failuresInRow = 0
        } catch {
            damaged += 1
            return try count(error)
        }
        report(into: &output)
        JournalFrame.appendEntry(
            line: encoder.line, key: encoder.sourceName,
            bytesUncut: encoder.bytesLeftOut == 0 ? 0 : encoder.line.count + encoder.bytesLeftOut, to: &output.bytes)
        try output.flushWhereFull()
    }

    /// Whether the entry comes from the unit that is left out. The library has no filter for "all but these".
    private func isOwn() throws(JournalFailure) -> Bool {
        guard let unit = options.leaveOutUnit else { return false }
        var data: UnsafeRawPointer?
        var count = 0
        let result = sd_journal_get_data(handle.journal, "_SYSTEMD_UNIT", &data, &count)
        if result == -ENOENT { return false }
        try JournalHandle.check(result, "reading an entry's unit")
        return UnsafeRawBufferPointer(start: data, count: count).elementsEqual("_SYSTEMD_UNIT=\(unit)".utf8)
    }

    private mutating func encode(into output: inout FrameOutput) throws(JournalFailure) {
        let journal = handle.journal
        var realtime: UInt64 = 0
        var monotonic: UInt64 = 0
        var boot = sd_id128_t()
        let cursor = try handle.cursor()
        try JournalHandle.check(sd_journal_get_realtime_usec(journal, &realtime), "reading an entry's time")
        try JournalHandle.check(sd_journal_get_monotonic_usec(journal, &monotonic, &boot), "reading an entry's time")
        encoder.begin(cursor: cursor.text, realtime: realtime, monotonic: monotonic, bootID: JournalHandle.hex(boot))
        sd_journal_restart_data(journal)
        while true {
            var data: UnsafeRawPointer?
            var count = 0
            let result = sd_journal_enumerate_available_data(journal, &data, &count)
            try JournalHandle.check(result, "reading an entry's fields")
            guard result > 0 else { break }
            encoder.add(UnsafeRawBufferPointer(start: data, count: count))
        }
        encoder.finish()
        reached(cursor, into: &output)
    }

    /// An entry was read whole: says what is missing before it.
    private mutating func reached(_ cursor: JournalCursor, into output: inout FrameOutput) {
        let skipped = numbers.skipped(before: cursor)
        if isPastDamage || (isComplete && skipped > 0) {
            // Those that were stepped to are among them.
            damaged = 0
            let number = skipped > 0 ? "up to \(skipped) entries" : "entries"
            output.say(.gap, "\(number) before \(cursor.text) were removed or are damaged")
        }
        isPastDamage = false
        last = cursor
        // What was read is younger.
        tail = nil
    }

    /// Where a filter is set: finds the last entry there is, from time to time. True where reading has to go on before waiting.
    private mutating func lookAtTail(into output: inout FrameOutput) throws -> Bool {
        guard handle.hasFilters else { return false }
        let now = Self.monotonicMicroseconds() / 1_000_000
        guard now >= tailAt else { return false }
        tailAt = now + Self.tailInterval
        tail = try handle.tail()
        if let last {
            try resume(after: last, into: &output)
        } else {
            try seekStart()
        }
        return true
    }

    // MARK: - Waiting

    /// Waits until something may have changed. True where files came or went, so that the place has to be found again.
    private func wait() throws -> Bool {
        let watch = sd_journal_get_fd(handle.journal)
        var timeout: UInt64 = .max
        _ = sd_journal_get_timeout(handle.journal, &timeout)
        var milliseconds = Self.waitMillisecondsMax
        if timeout != .max {
            let rest = Int64(clamping: timeout) - Self.monotonicMicroseconds()
            milliseconds = CInt(clamping: min(max(rest / 1000 + 1, 0), Int64(milliseconds)))
        }
        if watch < 0 { milliseconds = min(milliseconds, 500) }
        var polled = [
            pollfd(fd: watch, events: Int16(POLLIN), revents: 0), pollfd(fd: 0, events: 0, revents: 0),
            pollfd(fd: 1, events: 0, revents: 0),
        ]
        _ = poll(&polled, nfds_t(polled.count), milliseconds)
        let gone = Int16(POLLHUP | POLLERR | POLLNVAL)
        if polled[1].revents & gone != 0 || polled[2].revents & gone != 0 { throw OutputClosed() }
        let change =
            watch < 0
            ? sd_journal_wait(handle.journal, 0) : sd_journal_process(handle.journal)
        try JournalHandle.check(change, "watching the journal")
        return change == CInt(SD_JOURNAL_INVALIDATE)
    }

    private static func monotonicMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
