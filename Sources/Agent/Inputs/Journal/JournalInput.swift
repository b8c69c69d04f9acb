import Base
import DequeModule

#if canImport(Glibc)
    import Glibc
#endif

/// Reads a journal through a supervised process that filters, encodes and remembers nothing: where to go on is known here.
///
/// A journal is one stream, whatever units its entries come from: it has one order and one cursor. A block holds consecutive entries of
/// one unit, so that a record's key is its source; what is sealed of a stream is a prefix of it over all its units.
///
/// The pipe and one buffer are all that is read ahead. While nobody asks, the reader waits in its write.
public final class JournalInput: Input {
    let settings: JournalInputSettings
    let stream: StreamID
    private let host: String
    private let journal: UInt64
    private let source: SourceKey
    private let pool: LineBufferPool

    private var child: JournalChild?
    private var startAt = Instant.zero
    private var delay: Duration
    /// Crashes since an entry came.
    private var crashes = 0
    private var reason: String?
    /// The reader that runs has sent everything that the journal held.
    private var isCaughtUp = false
    private var isTroubled = false
    private var isClosed = false

    /// After the last entry that was handed out.
    private var last: JournalPosition?
    private var entries: Int64 = 0
    private var events: Deque<InputEvent> = []

    /// Bytes from the pipe; frames from `parsed` to `received` wait.
    private var pipeBytes: [UInt8]
    private var parsed = 0
    private var received = 0

    /// Where the next lines go. Blocks share a buffer: many units write in turns, a line each.
    private var buffer: LineBuffer?
    private var bufferUsed = 0
    private var run: Run?
    private var origins: [[UInt8]: LineOrigin] = [:]

    /// Consecutive lines of one source in `buffer`.
    private struct Run {
        var origin: LineOrigin
        var key: [UInt8]
        var start: Int
        var byteCount: Int
    }

    private static let blockBytesMax = 256 << 10
    private static let pipeBytesMin = 256 << 10
    private static let originsMax = 1024
    private static let delayMax = Duration.seconds(30)

    /// `checkpoints` of other inputs are left alone. Nothing is started before the first poll.
    public init(
        settings: JournalInputSettings, host: String, checkpoints: [StreamCheckpoint] = [],
        nextStreamID: () -> StreamID
    ) {
        self.settings = settings
        self.host = host
        journal = StableHash.of(settings.journalName)
        source = SourceKey("\(host)/journal")
        pool = LineBufferPool(bufferBytes: ByteCount(Self.blockBytesMax), keptMax: 2)
        pipeBytes = Array(repeating: 0, count: Self.pipeBytesMin)
        delay = settings.restartDelay
        var stream: StreamID?
        for checkpoint in checkpoints {
            guard let position = JournalPosition(checkpoint.position), position.journal == journal else { continue }
            stream = checkpoint.stream
            last = position
        }
        self.stream = stream ?? nextStreamID()
    }

    deinit { close() }

    public func poll(now: Instant, isOpen: (_ topic: String) -> Bool) -> InputPoll {
        guard !isClosed, isOpen(settings.topic) else { return .idle(until: .distantFuture, wake: nil) }
        if let event = events.popFirst() { return .event(event) }
        if child == nil {
            guard startAt <= now else { return .idle(until: startAt, wake: nil) }
            if !start(now: now) { return nextEvent() ?? .idle(until: startAt, wake: nil) }
        }
        while let child {
            if let block = parseFrames(now: now) { return .block(block) }
            if let event = events.popFirst() { return .event(event) }
            guard self.child != nil else { break }
            switch readPipe(child) {
            case .bytes: continue
            case .nothingYet:
                if let block = takeRun() { return .block(block) }
                return .idle(until: .distantFuture, wake: child.output)
            case .end:
                // What came whole is good; the reader that comes next goes on after it.
                let block = takeRun()
                ended(child.end(), now: now)
                if let block { return .block(block) }
            }
        }
        return nextEvent() ?? .idle(until: startAt, wake: nil)
    }

    public func attend(now: Instant) -> Instant { now + .seconds(1) }

    public var isBehind: Bool { !isCaughtUp }

    public func streamStatuses() -> [StreamStatus] {
        [StreamStatus(stream: stream, source: source, place: settings.place, offset: entries, unread: nil)]
    }

    public func close() {
        guard !isClosed else { return }
        isClosed = true
        _ = child?.end()
        child = nil
    }

    /// The reader's process, for tests that end it.
    var readerPID: pid_t? { child?.pid }

    private func nextEvent() -> InputPoll? { events.popFirst().map { .event($0) } }

    // MARK: - The reader's life

    private func start(now: Instant) -> Bool {
        parsed = 0
        received = 0
        reason = nil
        // An entry that ends the reader again and again is passed over, and as many more as it takes: 1, 2, 4, …
        let passOver = crashes < 3 ? 0 : 1 << min(crashes - 3, 10)
        let options = settings.readerOptions(after: last, passingOver: passOver)
        do throws(ChildError) {
            child = try JournalChild(command: settings.readerCommand + options.arguments)
            return true
        } catch {
            wait("\(settings.readerCommand[0]) can't be run: \(error)", now: now)
            return false
        }
    }

    private func ended(_ exit: JournalChild.Exit, now: Instant) {
        child = nil
        isCaughtUp = false
        if exit.isCrash { crashes += 1 }
        wait(reason ?? exit.text, now: now)
    }

    private func wait(_ why: String, now: Instant) {
        startAt = now + delay
        delay = min(delay + delay, Self.delayMax)
        trouble(why)
    }

    private func trouble(_ why: String) {
        guard !isTroubled else { return }
        isTroubled = true
        events.append(.trouble(source: settings.place, detail: why))
    }

    private func works() {
        delay = settings.restartDelay
        guard isTroubled else { return }
        isTroubled = false
        events.append(.recovered(source: settings.place))
    }

    // MARK: - Frames

    private var frameBytesMax: Int { settings.entryBytesMax.bytes + JournalFrame.slackBytes }

    private func readPipe(_ child: JournalChild) -> JournalChild.ReadResult {
        if parsed > 0 {
            pipeBytes.withUnsafeMutableBytes { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[parsed..<received]))
            }
            received -= parsed
            parsed = 0
        }
        if received == pipeBytes.count {
            // One long frame; its length was checked.
            let count = min(pipeBytes.count * 2, frameBytesMax + JournalFrame.lengthBytes)
            pipeBytes += Array(repeating: 0, count: count - pipeBytes.count)
        } else if received == 0, pipeBytes.count > Self.pipeBytesMin {
            pipeBytes = Array(repeating: 0, count: Self.pipeBytesMin)
        }
        let result = pipeBytes.withUnsafeMutableBytes { bytes in
            child.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[received...]))
        }
        if case .bytes(let count) = result { received += count }
        return result
    }

    /// Takes frames until a block is whole, something is to be said, or there is no whole frame left.
    private func parseFrames(now: Instant) -> LineBlock? {
        while true {
            let isDone = pipeBytes.withUnsafeBytes { bytes in
                let waiting = UnsafeRawBufferPointer(rebasing: bytes[parsed..<received])
                let (frame, byteCount) = JournalFrame.parse(waiting, bytesMax: frameBytesMax)
                switch take(frame, now: now) {
                case .taken(let isDone):
                    parsed += byteCount
                    return isDone
                case .notTaken: return true
                }
            }
            guard isDone else { continue }
            return isRunDone ? takeRun() : nil
        }
    }

    private enum Taking {
        /// Whether something is to be handed out before the next.
        case taken(isDone: Bool)
        case notTaken
    }

    /// The run can't become longer.
    private var isRunDone = false

    private func take(_ frame: JournalFrame.Parsed, now: Instant) -> Taking {
        switch frame {
        case .incomplete: return .notTaken
        case .invalid:
            reason = "the journal reader says what can't be understood"
            if let child { ended(child.end(), now: now) }
            isRunDone = run != nil
            return .notTaken
        case .entry(let line, let key, let bytesUncut, let position):
            guard last?.isAt(position) != true else { return .taken(isDone: false) }
            guard append(line, key) else {
                isRunDone = true
                return .notTaken
            }
            last = JournalPosition(journal: journal, position)
            entries += 1
            crashes = 0
            works()
            if bytesUncut > 0 { events.append(.lineCut(run!.origin.source, byteCount: Int64(bytesUncut))) }
            isRunDone = run!.byteCount >= Self.blockBytesMax || !events.isEmpty
            return .taken(isDone: isRunDone)
        case .passed, .caughtUp, .text:
            // What came before is handed out before.
            guard run == nil else {
                isRunDone = true
                return .notTaken
            }
            heard(frame)
            return .taken(isDone: !events.isEmpty)
        }
    }

    private func heard(_ frame: JournalFrame.Parsed) {
        switch frame {
        case .passed(let position):
            last = JournalPosition(journal: journal, position)
            events.append(
                .positioned(StreamCheckpoint(stream: stream, source: source, position: last!.encoded)))
        case .caughtUp:
            isCaughtUp = true
            works()
        case .text(.gap, let text): events.append(.gap(source, detail: text))
        case .text(.trouble, let text): trouble(text)
        case .text(_, let text): reason = text
        case .entry, .incomplete, .invalid: preconditionFailure("handled before")
        }
    }

    // MARK: - Blocks

    /// Puts a line behind the run, or begins one; false where the run has to be handed out first.
    private func append(_ line: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer) -> Bool {
        if let run {
            guard run.byteCount + line.count <= Self.blockBytesMax, bufferUsed + line.count <= buffer!.capacity,
                run.key.count == key.count, run.key.elementsEqual(key)
            else { return false }
        } else {
            if buffer == nil || bufferUsed + line.count > buffer!.capacity {
                buffer = pool.take(bytes: line.count)
                bufferUsed = 0
            }
            let key = Array(key)
            run = Run(origin: origin(of: key), key: key, start: bufferUsed, byteCount: 0)
        }
        memcpy(buffer!.base + bufferUsed, line.baseAddress!, line.count)
        bufferUsed += line.count
        run!.byteCount += line.count
        return true
    }

    private func takeRun() -> LineBlock? {
        isRunDone = false
        guard let run else { return nil }
        self.run = nil
        return LineBlock(
            stream: stream, origin: run.origin, buffer: buffer!, start: run.start, byteCount: run.byteCount,
            positions: .journal(name: settings.journalName))
    }

    private func origin(of key: [UInt8]) -> LineOrigin {
        if let known = origins[key] { return known }
        if origins.count >= Self.originsMax { origins.removeAll() }
        let source = key.isEmpty ? source : SourceKey(bytes: Array("\(host)/".utf8) + key)
        let origin = LineOrigin(
            source: source, topic: settings.topic, headers: settings.headers, relief: settings.relief)
        origins[key] = origin
        return origin
    }
}
