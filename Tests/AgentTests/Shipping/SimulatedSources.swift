import Base
import KafkaClient
import TestKit

@testable import Agent

/// Sources that grow and rotate, and a journal whose units go to several partitions: the truth that exports are held against.
final class SimulatedSources {
    static let lineBytes = 40
    static let linesPerFile = 150
    static let units = 3

    let name: String
    let sourceCount: Int
    /// Lines that stand in each source so far; the last is the journal.
    var written: [Int]

    init(_ name: String, sources: Int) {
        self.name = name
        sourceCount = sources
        written = Array(repeating: 0, count: sources + 1)
    }

    /// The machine was copied from another when that had written so much.
    private var copied: (name: String, lines: [Int])?

    /// A copy of the machine: what was written so far is the same, what comes is not.
    func copy(named name: String) -> SimulatedSources {
        let copy = SimulatedSources(name, sources: sourceCount)
        copy.written = written
        copy.copied = (self.name, written)
        return copy
    }

    func line(_ source: Int, _ index: Int) -> String {
        let name = copied.map { index < $0.lines[source] ? $0.name : self.name } ?? self.name
        let text = "\(name)/\(source)#\(index) "
        return text + String(repeating: "x", count: Self.lineBytes - 1 - text.utf8.count)
    }

    var journal: Int { sourceCount }

    func key(_ source: Int, _ index: Int) -> SourceKey {
        source == journal ? SourceKey("h/unit\(index / 7 % Self.units)") : SourceKey("h/file\(source)")
    }

    var allLines: Set<String> {
        var all: Set<String> = []
        for source in written.indices { for index in 0..<written[source] { all.insert(line(source, index)) } }
        return all
    }
}

/// Reads simulated sources as the tailer reads files: checkpoints with file and offset, a stream per file, retired when the next is begun.
final class SimulatedInput: Input {
    private struct Reading {
        var stream: StreamID
        var file: Int
        var offset: Int64
    }

    let sources: SimulatedSources
    private var readings: [Int: Reading] = [:]
    private var random: SeededRandom
    private let nextStreamID: () -> StreamID
    private var events: [InputEvent] = []
    private let pool = LineBufferPool(bufferBytes: .kib(8))
    private var origins: [SourceKey: LineOrigin] = [:]
    private var turn = 0

    init(
        _ sources: SimulatedSources, checkpoints: [StreamCheckpoint], seed: UInt64,
        nextStreamID: @escaping () -> StreamID
    ) {
        self.sources = sources
        self.nextStreamID = nextStreamID
        random = SeededRandom(seed: seed)
        for checkpoint in checkpoints {
            let position = FilePosition(checkpoint.position)!
            let source = Int(position.path)
            let reading = Reading(stream: checkpoint.stream, file: Int(position.inode), offset: position.offset)
            // Of two files the older comes first; the newer is met again afterwards and goes on where its checkpoint says.
            if let known = readings[source] {
                later[source, default: []].append(known.file < reading.file ? reading : known)
                readings[source] = known.file < reading.file ? known : reading
            } else {
                readings[source] = reading
            }
        }
    }

    private var later: [Int: [Reading]] = [:]

    func poll(now: Instant, isOpen: (_ topic: String) -> Bool) -> InputPoll {
        if !events.isEmpty { return .event(events.removeFirst()) }
        for _ in 0...sources.sourceCount {
            turn = (turn + 1) % (sources.sourceCount + 1)
            guard isOpen(Self.topic(of: turn)) else { continue }
            if let block = read(turn) { return .block(block) }
            if !events.isEmpty { return .event(events.removeFirst()) }
        }
        return .idle(until: now + .milliseconds(20), wake: nil)
    }

    static func topic(of source: Int) -> String { source % 2 == 0 ? "a" : "b" }

    private func read(_ source: Int) -> LineBlock? {
        let perFile = source == sources.journal ? Int.max : SimulatedSources.linesPerFile
        if readings[source] == nil {
            guard sources.written[source] > 0 else { return nil }
            readings[source] = Reading(stream: nextStreamID(), file: 0, offset: 0)
        }
        var reading = readings[source]!
        var inFile = Int(reading.offset) / SimulatedSources.lineBytes
        var retired: StreamID?
        if inFile == perFile {
            guard sources.written[source] > (reading.file + 1) * perFile else { return nil }
            retired = reading.stream
            let next = reading.file + 1
            reading = later[source]?.first { $0.file == next } ?? Reading(stream: nextStreamID(), file: next, offset: 0)
            inFile = Int(reading.offset) / SimulatedSources.lineBytes
        }
        let base = source == sources.journal ? 0 : reading.file * perFile
        let first = base + inFile
        var count = min(sources.written[source] - first, perFile - inFile, Int.random(in: 1...60, using: &random))
        if source == sources.journal { count = min(count, 7 - first % 7) }
        guard count > 0 else {
            readings[source] = reading
            if let retired { events.append(.retired(retired)) }
            return nil
        }
        let block = block(source, reading, first, count)
        reading.offset += Int64(count * SimulatedSources.lineBytes)
        readings[source] = reading
        if let retired { events.append(.retired(retired)) }
        return block
    }

    private func block(_ source: Int, _ reading: Reading, _ first: Int, _ count: Int) -> LineBlock {
        let bytes = count * SimulatedSources.lineBytes
        let buffer = pool.take(bytes: bytes)
        var place = 0
        for index in first..<first + count {
            for byte in (sources.line(source, index) + "\n").utf8 {
                buffer.bytes[place] = byte
                place += 1
            }
        }
        let key = sources.key(source, first)
        let origin = origins[key] ?? LineOrigin(source: key, topic: Self.topic(of: source))
        origins[key] = origin
        let position = FilePosition(
            path: UInt64(source), device: 1, inode: UInt64(reading.file), offset: reading.offset,
            modified: Timestamp(milliseconds: 0), prefix: .empty, tail: .empty)
        return LineBlock(
            stream: reading.stream, origin: origin, buffer: buffer, start: 0, byteCount: bytes,
            positions: .file(position))
    }

    func attend(now: Instant) -> Instant { .distantFuture }
    func streamStatuses() -> [StreamStatus] { [] }
    func close() {}
}
