import Base
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// Makes a record of a message that stands in a spool.
protocol SpooledFormat: AnyObject {
    /// Appends the record's value, which may be empty. False for a message that makes no record.
    func append(_ frame: SpoolFormat.Frame, to value: inout [UInt8]) -> Bool

    /// What the record's key, topic and headers are. The same object for the same sender, as far as it can.
    func origin(of sender: UnsafeRawBufferPointer) -> LineOrigin
}

/// Reads a spool: a stream whose positions are places in it, so that each message goes from there to the broker exactly once.
final class SpooledInput: Input {
    let stream: StreamID
    private let spool: Spool
    private let format: any SpooledFormat
    private let source: SourceKey
    private let topic: String
    private let place: String
    private let pool: LineBufferPool

    private var position: SpoolPosition
    private var scan: SpoolScan?
    private var bytesRead: Int64 = 0
    private var events: [InputEvent] = []
    private var isClosed = false
    private var isTroubled = false
    private var retryAt = Instant.zero

    /// Where the next records go. Blocks share a buffer: many senders write in turns, a message each.
    private var buffer: LineBuffer?
    private var bufferUsed = 0
    private var value: [UInt8] = []

    private static let blockBytesMax = 64 << 10
    private static let recordsMax = 2048
    private static let retryDelay = Duration.seconds(5)

    /// `checkpoints` of other inputs are left alone; those of a spool that stood under this name before and is gone are retired.
    ///
    /// - Parameter place: what the stream is called for an operator.
    init(
        spool: Spool, format: any SpooledFormat, source: SourceKey, topic: String, place: String,
        checkpoints: [StreamCheckpoint] = [], nextStreamID: () -> StreamID
    ) {
        self.spool = spool
        self.format = format
        self.source = source
        self.topic = topic
        self.place = place
        pool = LineBufferPool(bufferBytes: ByteCount(Self.blockBytesMax), keptMax: 2)
        position = SpoolPosition(name: spool.nameHash, spool: spool.id, segment: 0, offset: 0)
        var known: StreamID?
        for checkpoint in checkpoints {
            guard let found = SpoolPosition(checkpoint.position), found.name == spool.nameHash else { continue }
            if found.spool == spool.id {
                known = checkpoint.stream
                position = found
            } else {
                events.append(.retired(checkpoint.stream))
            }
        }
        stream = known ?? nextStreamID()
        spool.release(before: position)
        tell(spool.recovery)
    }

    private func tell(_ recovery: SpoolRecovery) {
        for path in recovery.quarantined {
            events.append(.gap(source, detail: "a segment of the spool can't be read; it was set aside: \(path)"))
        }
    }

    func poll(now: Instant, isOpen: (_ topic: String) -> Bool) -> InputPoll {
        guard !isClosed else { return .idle(until: .distantFuture, wake: nil) }
        if let event = nextEvent() { return .event(event) }
        guard isOpen(topic) else { return .idle(until: .distantFuture, wake: nil) }
        guard retryAt <= now else { return .idle(until: retryAt, wake: spool.wake.descriptor) }
        spool.wake.quiet()
        do throws(FileError) {
            if let block = try nextBlock() {
                works()
                return .block(block)
            }
        } catch {
            scan = nil
            retryAt = now + Self.retryDelay
            if !isTroubled { events.append(.trouble(source: place, detail: "\(error)")) }
            isTroubled = true
        }
        if let event = nextEvent() { return .event(event) }
        return .idle(until: retryAt > now ? retryAt : .distantFuture, wake: spool.wake.descriptor)
    }

    private func nextEvent() -> InputEvent? {
        if events.isEmpty { events = spool.takeEvents() }
        return events.isEmpty ? nil : events.removeFirst()
    }

    private func works() {
        guard isTroubled else { return }
        isTroubled = false
        events.append(.recovered(source: place))
    }

    func attend(now: Instant) -> Instant { now + .seconds(1) }

    func streamStatuses() -> [StreamStatus] {
        [
            StreamStatus(
                stream: stream, source: source, place: place, offset: bytesRead,
                unread: spool.unread(after: position))
        ]
    }

    func sealed(_ checkpoints: [StreamCheckpoint]) {
        for checkpoint in checkpoints where checkpoint.stream == stream {
            if let position = SpoolPosition(checkpoint.position) { spool.release(before: position) }
        }
    }

    /// Asked before it is known whether there is more, so that nothing that came in between is missed.
    var isFinished: Bool { spool.isEnded && spool.unread(after: position) == 0 && events.isEmpty }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        scan = nil
    }

    // MARK: - Blocks

    /// Consecutive records of one sender out of one segment.
    private struct Run {
        var origin: LineOrigin
        var base: SpoolPosition
        var start: Int
        var byteCount = 0
        var recordEnds: [Int] = []
        var frameEnds: [Int64] = []
    }

    private func nextBlock() throws(FileError) -> LineBlock? {
        var run: Run?
        while events.isEmpty, (run?.recordEnds.count ?? 0) < Self.recordsMax {
            guard let end = try findSegment(runs: run != nil) else { break }
            switch try scan!.next(upTo: end) {
            case .end: preconditionFailure("looked at above")
            case .damage(let next):
                if run != nil { return take(run) }
                skip(to: next ?? end)
            case .frame(let frame):
                guard append(frame, to: &run) else { return take(run) }
                scan!.take()
                bytesRead += scan!.offset - position.offset
                position.offset = scan!.offset
            }
        }
        return take(run)
    }

    /// Makes sure that there is a segment with something unread, and returns its end; nil where there is none. A run ends with its segment.
    private func findSegment(runs: Bool) throws(FileError) -> Int64? {
        while true {
            let next = spool.segment(after: position.segment)
            if let segment = spool.segment(position.segment), position.offset < segment.byteCount {
                if scan == nil {
                    let file = try spool.fileSystem.open(spool.path(of: segment.number), .read)
                    scan = SpoolScan(file: file, marker: spool.marker, offset: position.offset)
                }
                return segment.byteCount
            }
            // The next was there before this one's end was looked at: nothing came to this one since.
            guard let next, !runs else { return nil }
            scan = nil
            position.segment = next.number
            position.offset = Int64(SpoolFormat.headerBytes)
        }
    }

    private func skip(to next: Int64) {
        let count = next - position.offset
        let kept = spool.quarantine(position.segment)
        bytesRead += count
        position.offset = next
        scan!.skip(to: next)
        let file = spool.path(of: position.segment)
        events.append(
            .gap(
                source,
                detail: "\(count) bytes of the spool are damaged (\(file), before byte \(next))"
                    + (kept ? "; a copy of the segment is kept beside it" : "")))
        events.append(
            .positioned(StreamCheckpoint(stream: stream, source: source, position: position.encoded)))
    }

    /// Puts a record behind the run, or begins one; false where the run has to be handed out first.
    private func append(_ frame: SpoolFormat.Frame, to run: inout Run?) -> Bool {
        value.removeAll(keepingCapacity: true)
        let isRecord = format.append(frame, to: &value)
        let end = position.offset + Int64(frame.byteCount)
        if !isRecord {
            // The next record's position covers it; without one the message is looked at again after a restart, to the same end.
            if run != nil { run!.frameEnds[run!.frameEnds.count - 1] = end }
            return true
        }
        value.append(0x0A)
        let origin = format.origin(of: frame.sender)
        if let run {
            guard run.origin === origin, run.byteCount + value.count <= Self.blockBytesMax,
                bufferUsed + value.count <= buffer!.capacity
            else { return false }
        } else {
            if buffer == nil || bufferUsed + value.count > buffer!.capacity {
                buffer = pool.take(bytes: value.count)
                bufferUsed = 0
            }
            run = Run(origin: origin, base: position, start: bufferUsed)
        }
        let used = bufferUsed
        value.withUnsafeBytes { value in
            _ = memcpy(buffer!.base + used, value.baseAddress!, value.count)
        }
        bufferUsed += value.count
        run!.byteCount += value.count
        run!.recordEnds.append(run!.byteCount)
        run!.frameEnds.append(end)
        return true
    }

    private func take(_ run: Run?) -> LineBlock? {
        guard let run else { return nil }
        return LineBlock(
            stream: stream, origin: run.origin, buffer: buffer!, start: run.start, byteCount: run.byteCount,
            positions: .spool(base: run.base, frameEnds: run.frameEnds), recordEnds: run.recordEnds)
    }
}
