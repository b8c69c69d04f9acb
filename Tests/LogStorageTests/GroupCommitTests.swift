import Base
import NIOCore
import Records
import Synchronization
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

#if canImport(Glibc)
    import Glibc
#endif

struct GroupCommitTests {
    @Test func anInlineFlusherAnswersBeforeItReturns() throws {
        let log = try Machine(.fsync).log()
        try log.add(["a"])
        let answer = Mutex<Offset?>(nil)
        InlineFlusher().requestFlush(log) { result in answer.withLock { $0 = try? result.get() } }
        #expect(answer.withLock { $0 } == Offset(1))
    }

    /// Appenders, readers and a flush group at work on a real disk; every ack is checked against what is durable and readable.
    @Test func appendersReadersAndFlushesGetAlongOnARealDisk() throws {
        var template = Array("/tmp/millrace-log-XXXXXX".utf8CString)
        let root = FilePath(String(cString: mkdtemp(&template)))
        defer { removeAll(root) }
        let directory = LogDirectory(path: root, fileSystem: PosixFileSystem(), time: SystemTime())
        try directory.open()
        var config = LogConfig()
        config.segmentBytes = .kib(256)
        let log = try directory.create(topic: "t", id: topicID, partition: 0, config: config)
        let group = FlushGroup(threads: 2)
        let appenders = 6
        let each = 300
        let acknowledged = Atomic(0)
        let failures = Mutex<[String]>([])
        let done = ThreadSemaphore()
        for number in 0..<appenders {
            startThread {
                defer { done.signal() }
                let answered = ThreadSemaphore()
                for sequence in 0..<each {
                    do {
                        let bytes = try batch(
                            ["\(number)/\(sequence)"], at: SystemTime().wallTime, producer: Int64(number),
                            sequence: Int32(sequence))
                        let result = try log.append(
                            bytes, leaderEpoch: LeaderEpoch(0), origin: .client, now: SystemTime().wallTime)
                        group.requestFlush(log) { flushed in
                            if (try? flushed.get()).map({ $0 >= result.nextOffset }) != true
                                || log.highWatermark < result.nextOffset
                            {
                                failures.withLock { $0.append("flush answered \(flushed) for \(result)") }
                            }
                            acknowledged.add(1, ordering: .relaxed)
                            answered.signal()
                        }
                        if sequence % 8 == 7 { for _ in 0..<8 { answered.wait() } }
                    } catch { failures.withLock { $0.append("\(error)") } }
                }
            }
        }
        var next = Offset.zero
        var seen: [Int: Int] = [:]
        while next < Offset(Int64(appenders * each)) {
            let slice = try log.read(from: next, bytesMax: .kib(32), atLeastOneBatch: true, upTo: .highWatermark)
            for record in try records(in: slice.bytes()) where record.offset >= next.rawValue {
                try #require(record.offset == next.rawValue)
                let words = record.value.split(separator: "/").map { Int($0)! }
                try #require(words[1] == seen[words[0], default: 0])
                seen[words[0]] = words[1] + 1
                next = next + 1
            }
            if slice.isEmpty { usleep(200) }
            if failures.withLock({ !$0.isEmpty }) { break }
        }
        for _ in 0..<appenders { done.wait() }
        group.close()
        #expect(failures.withLock { $0 }.isEmpty)
        #expect(acknowledged.load(ordering: .relaxed) == appenders * each)
        try directory.shutDown()
        let again = LogDirectory(path: root, fileSystem: PosixFileSystem(), time: SystemTime())
        #expect(try again.open())
        #expect(try again.log(for: partition)?.all().count == appenders * each)
        try again.shutDown()
    }

    @Test func manyWaitersShareOneFlush() throws {
        let machine = Machine(.fsync)
        let log = try machine.log()
        let before = machine.disk.operationCount
        for number in 0..<64 { try log.add(["\(number)"]) }
        let appends = machine.disk.operationCount - before
        for _ in 0..<64 { _ = try log.flush() }
        let syncs = machine.disk.operationCount - before - appends
        #expect(syncs <= 3)
    }

    private func removeAll(_ path: FilePath) {
        let disk = PosixFileSystem()
        for entry in (try? disk.list(path)) ?? [] {
            let child = path.appending(entry.name)
            if entry.isDirectory { removeAll(child) } else { try? disk.unlink(child) }
        }
        try? disk.removeDirectory(path)
    }
}
