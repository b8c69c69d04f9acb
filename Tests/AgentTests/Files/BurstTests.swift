import Base
import Foundation
import SystemPackage
import Testing

@testable import Agent

#if canImport(Glibc)
    import Glibc
#endif

/// Real files, real inotify, and a reader that is slower than the writer. `MILLRACE_TEST_FULL=1`: 300 MB, rotated each 100 ms.
@Suite struct Bursts {
    private let isFull = ProcessInfo.processInfo.environment["MILLRACE_TEST_FULL"] != nil

    @Test func nothingIsLostOrRepeatedInABurstThatRotatesWhileItIsRead() throws {
        let folder = "/tmp/millrace-burst-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let writer = BurstWriter(
            folder: folder, megabytes: isFull ? 300 : 16, megabytesPerSecond: isFull ? 30 : 8,
            rotation: isFull ? 0.1 : 0.05)
        var streamCount: UInt64 = 0
        var settings = FileTailerSettings(host: "h")
        settings.descriptorsMax = 16
        let tailer = try FileTailer(
            sources: [FileInputSettings(paths: [folder + "/app.log"], topic: "t")], settings: settings,
            nextStreamID: {
                streamCount += 1
                return StreamID(streamCount)
            })
        defer { tailer.close() }
        let thread = Thread { writer.run() }
        thread.start()

        var next = 0
        var isInOrder = true
        var idleSince = SystemTime().now
        while next < writer.lineCount || !writer.isDone {
            let now = SystemTime().now
            switch tailer.poll(now: now) {
            case .block(let block):
                idleSince = now
                _ = block.forEachLine { line in
                    let number = line.prefix { $0 != 0x20 }.reduce(0) { $0 * 10 + Int($1 - 0x30) }
                    if number != next { isInOrder = false }
                    next = number + 1
                    return isInOrder
                }
                // The broker takes its time.
                usleep(isFull ? 8000 : 15_000)
            case .event(let event):
                switch event {
                case .positioned, .retired: break
                default: Issue.record("the tailer says \(event)")
                }
            case .idle: usleep(500)
            }
            guard isInOrder, now - idleSince < .seconds(60) else { break }
        }
        #expect(isInOrder, "line \(next - 1) is out of its place")
        #expect(next == writer.lineCount)
        #expect(writer.rotations > 20)
    }
}

private final class BurstWriter: @unchecked Sendable {
    private let folder: String
    private let bytes: Int
    private let bytesPerSecond: Int
    private let rotation: Double
    private let lock = NSLock()
    private var lines = 0
    private var done = false
    private(set) var rotations = 0

    var lineCount: Int { lock.withLock { lines } }
    var isDone: Bool { lock.withLock { done } }

    init(folder: String, megabytes: Int, megabytesPerSecond: Int, rotation: Double) {
        self.folder = folder
        bytes = megabytes << 20
        bytesPerSecond = megabytesPerSecond << 20
        self.rotation = rotation
    }

    func run() {
        let path = folder + "/app.log"
        let filler = String(repeating: "x", count: 180)
        var file = fopen(path, "a")!
        let start = Date()
        var (written, line, rotatedAt) = (0, 0, start)
        while written < bytes {
            var text = ""
            for _ in 0..<500 {
                text += "\(line) \(filler)\n"
                line += 1
            }
            fputs(text, file)
            written += text.utf8.count
            lock.withLock { lines = line }
            if -rotatedAt.timeIntervalSinceNow > rotation {
                // As logrotate and nginx do: renamed first, the last lines still come into the old file.
                rotatedAt = Date()
                rotations += 1
                rename(path, "\(path)-\(20_260_000 + rotations)")
                let new = fopen(path, "a")!
                fclose(file)
                file = new
            }
            let ahead = Double(written) / Double(bytesPerSecond) + start.timeIntervalSinceNow
            if ahead > 0 { usleep(UInt32(ahead * 1e6)) }
        }
        fclose(file)
        lock.withLock { done = true }
    }
}
