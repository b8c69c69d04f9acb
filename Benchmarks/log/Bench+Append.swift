import Base
import Foundation
import LogStorage
import NIOCore
import Records
import SystemPackage

extension Bench {
    /// Appends at durability page-cache against `pwrite` of the same bytes.
    func append() throws {
        for (name, size, count) in [("append 64 KiB", 64 << 10, 4096), ("append 1 KiB", 1 << 10, 131_072)] {
            let batch = try Self.batch(bytes: size)
            let costs = try inTurns([
                { try appendOwn(batch, count) },
                { try appendBare(batch, count) },
            ])
            Self.compare(name, bytes: batch.readableBytes * count, own: costs[0], bare: costs[1], "pwrite")
        }
    }

    private func appendOwn(_ batch: ByteBuffer, _ count: Int) throws -> Cost {
        let directory = directory()
        try directory.open()
        defer { try? FileManager.default.removeItem(atPath: place.appending("data").string) }
        let log = try directory.create(
            topic: "t", id: TopicID(high: 1, low: 2), partition: 0, config: Self.config(.pageCache))
        let cost = try Cost.of {
            for _ in 0..<count {
                _ = try log.append(batch, leaderEpoch: LeaderEpoch(0), origin: .client, now: SystemTime().wallTime)
            }
        }
        try directory.shutDown()
        return cost
    }

    private func appendBare(_ batch: ByteBuffer, _ count: Int) throws -> Cost {
        let path = place.appending("bare").string
        let descriptor = open(path, O_CREAT | O_RDWR | O_TRUNC, 0o644)
        precondition(descriptor >= 0)
        defer {
            close(descriptor)
            unlink(path)
        }
        let bytes = Array(batch.readableBytesView)
        let cost = Cost.of {
            for number in 0..<count {
                precondition(pwrite(descriptor, bytes, bytes.count, off_t(number * bytes.count)) == bytes.count)
            }
        }
        fsync(descriptor)
        return cost
    }

    /// 64 appenders that each wait for their record to be durable, on a disk whose flush takes 5 ms, against a flush for each append.
    func groupCommit() throws {
        let batch = try Self.batch(bytes: 1 << 10)
        let costs = try inTurns([
            { try appendTogether(batch, appenders: 64, each: 50) },
            { try appendTogether(batch, appenders: 1, each: 60) },
        ])
        let own = costs[0].map { 64 * 50 / $0.wall }
        let bare = costs[1].map { 60 / $0.wall }
        let ratios = zip(own, bare).map { $0 / $1 }
        Self.print(
            "group commit, flush of 5 ms",
            "64 appenders \(number(median(own))) appends/s, one flush each \(number(median(bare))); "
                + "ratio \(number(median(ratios))) (\(number(ratios.min()!))-\(number(ratios.max()!)))")
    }

    private func appendTogether(_ batch: ByteBuffer, appenders: Int, each: Int) throws -> Cost {
        let directory = directory(fileSystem: SlowFlushes())
        try directory.open()
        defer { try? FileManager.default.removeItem(atPath: place.appending("data").string) }
        let log = try directory.create(
            topic: "t", id: TopicID(high: 1, low: 2), partition: 0, config: Self.config(.fsync))
        let flushes = FlushGroup()
        let cost = Cost.of {
            DispatchQueue.concurrentThreads(appenders) { _ in
                for _ in 0..<each {
                    _ = try! log.append(
                        batch, leaderEpoch: LeaderEpoch(0), origin: .client, now: SystemTime().wallTime)
                    let done = DispatchSemaphore(value: 0)
                    flushes.requestFlush(log) { _ in done.signal() }
                    done.wait()
                }
            }
        }
        flushes.close()
        try directory.shutDown()
        return cost
    }
}

extension DispatchQueue {
    /// Runs the body on so many threads at once, and waits for all.
    static func concurrentThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let group = DispatchGroup()
        for number in 0..<count {
            group.enter()
            let thread = Thread {
                body(number)
                group.leave()
            }
            thread.stackSize = 512 << 10
            thread.start()
        }
        group.wait()
    }
}
