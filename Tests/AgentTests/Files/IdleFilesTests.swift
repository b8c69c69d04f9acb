import Base
import Foundation
import Testing

@testable import Agent

#if canImport(Glibc)
    import Glibc
#endif

/// What 20,000 files cost to which nobody writes. Long: only with `MILLRACE_TEST_FULL=1`; prints the share of a core that two minutes of
/// waiting took in this build.
@Suite struct IdleFiles {
    private static let isFull = ProcessInfo.processInfo.environment["MILLRACE_TEST_FULL"] != nil

    @Test(.enabled(if: isFull)) func cost() throws {
        let folder = "/tmp/millrace-idle-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let count = 20_000
        for number in 0..<count {
            try Data("\(number)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(number).log"))
        }
        var streamCount: UInt64 = 0
        let tailer = try FileTailer(
            sources: [FileInputSettings(paths: [folder + "/*.log"], topic: "t")],
            settings: FileTailerSettings(host: "h"),
            nextStreamID: {
                streamCount += 1
                return StreamID(streamCount)
            })
        defer { tailer.close() }
        var lines = 0
        let begun = Self.threadTime
        while lines < count { lines += wait(tailer) }
        print("idle files: first look and read of \(count) files took \(Self.threadTime - begun) CPU-s")
        let (start, cpu) = (SystemTime().now, Self.threadTime)
        while SystemTime().now - start < .seconds(125) { lines += wait(tailer) }
        let seconds = Double((SystemTime().now - start).milliseconds) / 1000
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        print(
            "idle files: \((Self.threadTime - cpu) / seconds * 100) % of a core over \(seconds) s, \(descriptors) descriptors"
        )
        #expect(lines == count)
        #expect(descriptors < 200)
    }

    /// One poll, and the wait that it asks for; returns the lines that came.
    private func wait(_ tailer: FileTailer) -> Int {
        let now = SystemTime().now
        switch tailer.poll(now: now) {
        case .block(let block):
            var lines = 0
            _ = block.forEachLine { _ in
                lines += 1
                return true
            }
            return lines
        case .event: return 0
        case .idle(let until, let wake):
            let milliseconds = CInt(clamping: min(max(0, (until - now).milliseconds), 5000))
            if let wake {
                var polled = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
                _ = poll(&polled, 1, milliseconds)
            } else {
                usleep(UInt32(milliseconds) * 1000)
            }
            return 0
        }
    }

    private static var threadTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
