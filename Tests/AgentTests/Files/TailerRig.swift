import Base
import TestKit

@testable import Agent

/// A tailer over a disk in memory, and what an agent keeps of it: what was read, and the checkpoints that a restart gets.
final class TailerRig {
    let time = ManualTime()
    private(set) var disk: LogDisk!
    private(set) var notifier: LossyNotifier!
    private(set) var tailer: FileTailer!
    var input = FileInputSettings(paths: ["/log/*.log"], topic: "t")
    var settings = FileTailerSettings(host: "h")
    private var checkpoints: [StreamID: StreamCheckpoint] = [:]
    private var streamCount: UInt64 = 0
    private(set) var events: [InputEvent] = []
    /// Nothing is told of changes.
    var isBlind = false

    init() {
        disk = LogDisk { [time] in time.wallTime }
        disk.makeFolder("/log")
        settings.blockBytes = .kib(4)
        settings.linger = .seconds(10)
    }

    /// The agent starts, with what earlier runs left.
    func start() throws {
        notifier = LossyNotifier(isBlind: isBlind) { [disk] in disk!.resolve($0) }
        tailer = try FileTailer(
            sources: [input], settings: settings, files: disk, notifier: notifier,
            checkpoints: Array(checkpoints.values), wallTime: { [time] in time.wallTime },
            nextStreamID: { [unowned self] in
                streamCount += 1
                return StreamID(streamCount)
            })
    }

    /// `kill -9`: what was read is sealed, what the tailer knew else is gone.
    func kill() {
        tailer.close()
        tailer = nil
        disk.processKilled()
        pass(.seconds(1))
    }

    func restart() throws {
        kill()
        try start()
    }

    func pass(_ duration: Duration) { time.advance(by: duration) }

    /// Reads until there is nothing more, letting time go on by `duration` while it does.
    func read(for duration: Duration = .milliseconds(200)) -> [String] {
        var lines: [String] = []
        let end = time.now + duration
        var polls = 0
        while polls < 200_000 {
            polls += 1
            switch tailer.poll(now: time.now) {
            case .block(let block):
                _ = block.forEachRecord { line in
                    lines.append(String(decoding: line, as: UTF8.self))
                    return true
                }
                checkpoints[block.stream] = StreamCheckpoint(
                    stream: block.stream, source: block.source, position: block.end)
            case .event(let event):
                switch event {
                case .positioned(let checkpoint): checkpoints[checkpoint.stream] = checkpoint
                case .retired(let stream): checkpoints[stream] = nil
                default: events.append(event)
                }
            case .idle(let until, _):
                guard time.now < end else { return lines }
                time.advance(by: max(.milliseconds(1), min(until, end) - time.now))
            }
        }
        return lines + ["(it goes round and round)"]
    }

    /// Until the first line would come: what was found is told, and nothing was read.
    func lookOnly() {
        while case .event(let event) = tailer.poll(now: time.now) {
            if case .positioned(let checkpoint) = event { checkpoints[checkpoint.stream] = checkpoint }
        }
    }

    var gaps: Int { events.count { if case .gap = $0 { true } else { false } } }

    // MARK: - What applications do

    /// Appends to the file under the path, making it.
    @discardableResult
    func write(_ text: String, to path: String = "/log/app.log") -> LogDisk.Node {
        let node: LogDisk.Node
        if let standing = disk.node(path) {
            node = standing
        } else {
            node = disk.create(path)
            notifier?.renamed(path)
        }
        write(text, into: node, path)
        return node
    }

    func write(_ text: String, into node: LogDisk.Node, _ path: String) {
        pass(.milliseconds(5))
        disk.append(Array(text.utf8), to: node)
        notifier?.written(path)
    }

    func rename(_ path: String, to target: String) {
        pass(.milliseconds(5))
        disk.rename(path, to: target)
        notifier?.renamed(path)
        notifier?.renamed(target)
    }

    func remove(_ path: String) {
        disk.unlink(path)
        notifier?.renamed(path)
    }

    /// `gzip PATH`, or what logrotate does: the copy gets the time of the original, which then goes.
    func compress(_ path: String, to target: String? = nil) {
        let target = target ?? path + ".gz"
        let original = disk.node(path)!
        pass(.milliseconds(5))
        let copy = disk.create(target)
        disk.append(Gzip.compress(original.bytes), to: copy)
        disk.setModified(original.modified, of: copy)
        notifier?.renamed(target)
        remove(path)
    }

    func copy(_ path: String, to target: String) {
        pass(.milliseconds(5))
        disk.append(disk.node(path)!.bytes, to: disk.create(target))
        notifier?.renamed(target)
    }

    func cut(_ path: String) {
        pass(.milliseconds(5))
        disk.truncate(disk.node(path)!)
        notifier?.written(path)
    }
}
