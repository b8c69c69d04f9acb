import Base
import Foundation
import LogStorage
import NIOCore
import Records
import SystemPackage

extension Bench {
    /// A gigabyte that was not shut down cleanly, read whole from the page cache.
    func recovery() throws {
        let batch = try Self.batch(bytes: 64 << 10)
        let count = 16_384
        for (name, bytes) in [("recovery scan, one partition", 1), ("recovery scan, 8 partitions", 8)] {
            try fill(partitions: bytes, batch, count: count / bytes)
            let total = Double(batch.readableBytes * count) / 1e9
            var costs: [Cost] = []
            for _ in 0..<rounds {
                // Whatever is known of it: read every segment.
                let directory = directory()
                costs.append(try Cost.of { try directory.open(checksAll: true) })
                precondition(directory.offlinePartitions.isEmpty)
                try directory.shutDown()
            }
            let cpu = costs.map { total / $0.cpu }
            let wall = costs.map { total / $0.wall }
            Self.print(
                name,
                "\(number(median(cpu))) GB per CPU-second (\(number(cpu.min()!))-\(number(cpu.max()!))), "
                    + "\(number(median(wall))) GB/s by the clock")
            try clear()
        }
    }

    private func fill(partitions: Int, _ batch: ByteBuffer, count: Int) throws {
        // Making a partition opens its files: a thousand at a time.
        for first in stride(from: 0, to: partitions, by: 1000) {
            let directory = directory()
            try directory.open()
            for number in first..<min(partitions, first + 1000) {
                let log = try directory.create(
                    topic: "t", id: TopicID(high: 1, low: 2), partition: Int32(number), config: Self.config(.pageCache))
                for _ in 0..<count {
                    _ = try log.append(batch, leaderEpoch: LeaderEpoch(0), origin: .client, now: SystemTime().wallTime)
                }
            }
            try directory.shutDown()
        }
    }

    /// A clean start with 10,000 partitions of one batch each, and what memory one of them costs.
    func start() throws {
        let batch = try Self.batch(bytes: 1 << 10)
        let count = 10_000
        try fill(partitions: count, batch, count: 1)
        var seconds: [Double] = []
        var kilobytes: [Double] = []
        for _ in 0..<rounds {
            // In a process of its own, whose memory nobody else has used.
            let child = Process()
            let answer = Pipe()
            child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            child.arguments = ["--opening", place.string]
            child.standardOutput = answer
            try child.run()
            let text = String(decoding: answer.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            child.waitUntilExit()
            let words = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            precondition(words.count == 3 && Int(words[0]) == count, text)
            seconds.append(words[1])
            kilobytes.append(words[2] / 1024 / Double(count))
        }
        Self.print(
            "clean start, 10,000 partitions",
            "\(number(median(seconds))) s (\(number(seconds.min()!))-\(number(seconds.max()!))), "
                + "\(number(median(kilobytes))) KiB resident a partition")
    }

    /// Opens what stands there: prints how many partitions that are, the seconds, and the bytes that it made resident.
    func opening() throws {
        let before = Self.residentBytes()
        let directory = directory()
        let cost = try Cost.of { try directory.open() }
        Swift.print(directory.partitions.count, cost.wall, Self.residentBytes() - before)
        try directory.shutDown()
    }

    private static func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    /// What the first look at headers of an earlier life costs a reader, against the same reads without it.
    func headers() throws {
        for (name, size) in [("first look at headers, batches of 64 KiB", 64 << 10), ("of 4 KiB", 4 << 10)] {
            let batch = try Self.batch(bytes: size)
            let count = (256 << 20) / size
            try fill(partitions: 1, batch, count: count)
            var first: [Cost] = []
            var later: [Cost] = []
            for _ in 0..<rounds {
                let directory = directory()
                try directory.open()
                let log = directory.partitions[0]
                first.append(try Cost.of { try readAll(log) })
                later.append(try Cost.of { try readAll(log) })
                try directory.shutDown()
            }
            Self.compare(name, bytes: batch.readableBytes * count, own: first, bare: later, "a later read")
            try clear()
        }
    }

    /// Reads the log as a fetch does, a mebibyte at a time, and copies the bytes out as a socket would.
    private func readAll(_ log: PartitionLog) throws {
        var next = log.logStartOffset
        while next < log.highWatermark {
            let slice = try log.read(from: next, bytesMax: .mib(1), atLeastOneBatch: true, upTo: .highWatermark)
            var cursor = RecordBatchCursor(try slice.bytes())
            while let batch = try cursor.next() { next = batch.nextOffset }
        }
    }
}
