import Base
import CMillrace
import Foundation
import LogStorage
import NIOCore
import Records
import SystemPackage

extension Bench {
    /// What a compaction reads and writes a second. 64 KiB batches of keyed records, of which the later half of the log replaces the first.
    func compaction() throws {
        for codec in [Codec.none, .lz4] {
            for (name, keys) in [("every batch keeps a part", 300_000), ("batches are kept whole", 1 << 40)] {
                var speeds: [Double] = []
                var kept = 0.0
                for _ in 0..<rounds {
                    let (bytes, cost, after) = try compactOnce(codec, keys: keys)
                    speeds.append(Double(bytes) / 1e6 / cost.cpu)
                    kept = Double(after) / Double(bytes)
                    try clear()
                }
                Self.print(
                    "compaction, \(codec), \(name)",
                    "\(number(median(speeds))) MB of input per CPU-second (\(number(speeds.min()!))-"
                        + "\(number(speeds.max()!))), \(number(kept * 100)) % stayed")
            }
        }
    }

    private func compactOnce(_ codec: Codec, keys: Int) throws -> (bytes: Int64, Cost, after: Int64) {
        var config = Self.config(.pageCache)
        config.segmentBytes = .mib(32)
        let directory = directory()
        try directory.open()
        let log = try directory.create(topic: "t", id: TopicID(high: 1, low: 2), partition: 0, config: config)
        var first = 0
        while log.byteCount < 128 << 20 {
            let batch = try Self.batch(bytes: 64 << 10, first: first, codec: codec, keys: keys)
            let answer = try log.append(
                batch, leaderEpoch: LeaderEpoch(0), origin: .coordinator, now: SystemTime().wallTime)
            first += Int(answer.nextOffset.rawValue - answer.baseOffset.rawValue)
        }
        _ = try log.flush()
        config.compacts = true
        config.deletes = false
        config.dirtyRatioMin = 0
        log.config = config
        let before = log.byteCount
        let cost = Cost.of { directory.tick(now: SystemTime().now) }
        let after = log.byteCount
        try directory.shutDown()
        return (before, cost, after)
    }

    /// Making appends to many files durable, in four ways. Each round writes 1 KiB to each of them first.
    func flushes() throws {
        for count in [1, 100, 3000] {
            let folder = place.appending("flush")
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            let files = (0..<count).map { open("\(folder)/\($0)", O_CREAT | O_RDWR, 0o644) }
            precondition(files.allSatisfy { $0 >= 0 })
            let journal = open("\(folder)/journal", O_CREAT | O_RDWR, 0o644)
            let block = [UInt8](repeating: 7, count: 1024)
            nonisolated(unsafe) var end: off_t = 0
            func write() {
                for file in files { precondition(pwrite(file, block, 1024, end) == 1024) }
                end += 1024
            }
            sync()
            let ways: [(String, () throws -> Cost)] = [
                (
                    "fdatasync in turn",
                    {
                        write()
                        return Cost.of { for file in files { fdatasync(file) } }
                    }
                ),
                (
                    "fdatasync by 2 threads",
                    {
                        write()
                        return Cost.of {
                            DispatchQueue.concurrentThreads(2) { lane in
                                for place in stride(from: lane, to: count, by: 2) { fdatasync(files[place]) }
                            }
                        }
                    }
                ),
                (
                    "fdatasync by 8 threads",
                    {
                        write()
                        return Cost.of {
                            DispatchQueue.concurrentThreads(8) { lane in
                                for place in stride(from: lane, to: count, by: 8) { fdatasync(files[place]) }
                            }
                        }
                    }
                ),
                (
                    "syncfs",
                    {
                        write()
                        return Cost.of { precondition(millrace_sync_file_system(files[0]) == 0) }
                    }
                ),
                (
                    "syncfs beside 256 MB that somebody else wrote",
                    {
                        write()
                        let other = open("\(folder)/other", O_CREAT | O_RDWR | O_TRUNC, 0o644)
                        defer { close(other) }
                        let megabyte = [UInt8](repeating: 9, count: 1 << 20)
                        for _ in 0..<256 {
                            precondition(Glibc.write(other, megabyte, megabyte.count) == megabyte.count)
                        }
                        return Cost.of { precondition(millrace_sync_file_system(files[0]) == 0) }
                    }
                ),
                (
                    "one journal, and the files later",
                    {
                        // The same bytes once more, in one file.
                        let cost = Cost.of {
                            for _ in files { precondition(Glibc.write(journal, block, 1024) == 1024) }
                            fdatasync(journal)
                        }
                        write()
                        return cost
                    }
                ),
            ]
            for (way, costs) in zip(ways.map(\.0), try inTurns(ways.map(\.1))) {
                let walls = costs.map { $0.wall * 1000 }
                Self.print(
                    "flush of \(count) files, \(way)",
                    "\(number(median(walls))) ms (\(number(walls.min()!))-\(number(walls.max()!))), "
                        + "\(number(median(costs.map { $0.cpu * 1000 }))) ms of CPU")
            }
            for file in files + [journal] { close(file) }
            try clear()
        }
    }
}
