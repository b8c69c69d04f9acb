import Base
import SystemPackage
import Testing

@testable import LogStorage

#if canImport(Glibc)
    import Glibc
#endif

/// A log directory on a real file system of a few megabytes, which is filled to the last byte, and made read-only. Mounting it takes root.
@Suite(.enabled(if: geteuid() == 0, "mounting a tmpfs takes root")) struct SmallDiskTests {
    /// A tmpfs of its own, unmounted when it goes.
    private final class SmallDisk {
        let path: FilePath

        init(size: ByteCount) throws {
            var template = Array("/tmp/millrace-tmpfs-XXXXXX".utf8CString)
            path = FilePath(String(cString: mkdtemp(&template)))
            try check(mount("tmpfs", path.string, "tmpfs", 0, "size=\(size.bytes)"))
        }

        func makeReadOnly(_ isReadOnly: Bool) throws {
            try check(mount("tmpfs", path.string, "tmpfs", UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0), nil))
        }

        var freeBytes: Int64 { (try? PosixFileSystem().space(at: path).free) ?? -1 }

        /// A file of somebody else.
        func ballast(_ size: ByteCount) throws -> FilePath {
            let path = path.appending("ballast-\(size.bytes)")
            let file = try PosixFileSystem().open(path, .create)
            defer { file.close() }
            try [UInt8](repeating: 1, count: size.bytes).withUnsafeBytes { try file.write($0, at: 0) }
            return path
        }

        /// Takes what is left of the disk.
        func fillTheRest() {
            for size in [65_536, 4096, 1] { while (try? ballast(ByteCount(size + Int.random(in: 0..<size)))) != nil {} }
        }

        private func check(_ result: CInt) throws {
            if result != 0 { throw FileError(.other(errno), .open, path) }
        }

        deinit {
            umount2(path.string, CInt(MNT_DETACH))
            rmdir(path.string)
        }
    }

    private let time = SystemTime()

    private func open(_ disk: SmallDisk, reserve: ByteCount = .zero) throws -> (LogDirectory, Machine.Facts) {
        var settings = LogDirectorySettings()
        settings.reserve = reserve
        let facts = Machine.Facts()
        let directory = LogDirectory(
            path: disk.path.appending("logs"), fileSystem: PosixFileSystem(), time: time, settings: settings,
            onFact: { facts.add($0) })
        try directory.open { _, _ in config }
        return (directory, facts)
    }

    private var config: LogConfig {
        var config = LogConfig()
        config.segmentBytes = .kib(256)
        config.retentionAge = nil
        config.fileDeleteDelay = .zero
        return config
    }

    /// Appends and flushes until the disk refuses; returns what was acknowledged, and the refusal.
    private func fill(_ log: PartitionLog, from first: Int, most: Int = .max) throws -> (
        next: Int, refusal: AppendError?
    ) {
        let filler = String(repeating: "x", count: 4000)
        var next = first
        while next - first < most {
            do {
                try log.add(["\(next) \(filler)"], at: time.wallTime)
                _ = try log.flush()
                next += 1
            } catch let error as AppendError { return (next, error) }
        }
        return (next, nil)
    }

    private func numbers(in log: PartitionLog) throws -> [Int] {
        try log.all(upTo: .highWatermark).map { Int($0.value.prefix { $0 != " " })! }
    }

    @Test func aDiskFilledToTheLastByteLosesNothingAndGoesOnWhenItHasRoom() throws {
        let disk = try SmallDisk(size: .mib(6))
        var (directory, _) = try open(disk)
        var log = try directory.create(topic: "t", id: topicID, partition: 0, config: config)
        let ballast = try disk.ballast(.mib(1))
        let (count, refusal) = try fill(log, from: 0)
        #expect(count > 900)
        #expect(refusal?.code == .noSpace && refusal?.isRetriable == true)
        disk.fillTheRest()
        #expect(disk.freeBytes == 0)
        #expect(directory.offlineReason == nil && log.offlineReason == nil)
        #expect(try numbers(in: log) == Array(0..<count))
        #expect(try fill(log, from: count).refusal?.code == .noSpace)
        directory.tick(now: time.now)

        // It can't say that it ended well, and starts all the same.
        #expect { try directory.shutDown() } throws: { ($0 as? LogError)?.code == .noSpace }
        (directory, _) = try open(disk)
        log = try #require(directory.log(for: partition), "\(directory.offlinePartitions)")
        #expect(try numbers(in: log) == Array(0..<count))
        #expect(try fill(log, from: count).refusal?.code == .noSpace)

        try PosixFileSystem().unlink(ballast)
        let (more, none) = try fill(log, from: count, most: 100)
        #expect(none == nil && more == count + 100)
        disk.fillTheRest()
        // Deleting goes on: what can't be noted yet makes the room in which it can be.
        let start = Offset(Int64(count - 300))
        #expect { try log.deleteRecords(before: start) } throws: { ($0 as? LogError)?.code == .noSpace }
        directory.tick(now: time.now)
        directory.tick(now: time.now + .seconds(1))
        #expect(try log.deleteRecords(before: start) == start)
        let (end, refused) = try fill(log, from: more, most: 200)
        #expect(refused == nil)
        try directory.shutDown()
        (directory, _) = try open(disk)
        #expect(try numbers(in: #require(directory.log(for: partition))).last == end - 1)
        try directory.shutDown()
    }

    @Test func appendsStopAtTheReserveAndGoOnByThemselves() throws {
        let disk = try SmallDisk(size: .mib(6))
        let (directory, facts) = try open(disk, reserve: .mib(2))
        let log = try directory.create(topic: "t", id: topicID, partition: 0, config: config)
        let (count, none) = try fill(log, from: 0, most: 700)
        #expect(none == nil && count == 700)
        directory.tick(now: time.now)
        #expect(facts.names.contains("disk_full") == false)
        let ballast = try disk.ballast(.mib(2))
        directory.tick(now: time.now)
        #expect(facts.names.contains("disk_full"))
        #expect(try fill(log, from: count).refusal?.code == .noSpace)
        #expect(try numbers(in: log).count == count)
        #expect(disk.freeBytes > 1 << 20)
        try PosixFileSystem().unlink(ballast)
        directory.tick(now: time.now)
        #expect(facts.names.contains("disk_has_room_again"))
        #expect(try fill(log, from: count, most: 1).refusal == nil)
        try directory.shutDown()
    }

    @Test func aReadOnlyDiskIsOfflineUntilItIsMended() throws {
        let disk = try SmallDisk(size: .mib(6))
        let count = 10
        do {
            let (directory, _) = try open(disk)
            let log = try directory.create(topic: "t", id: topicID, partition: 0, config: config)
            _ = try fill(log, from: 0, most: count)
            try directory.shutDown()
        }
        try disk.makeReadOnly(true)
        var (directory, facts) = try open(disk)
        #expect(facts.names.contains("directory_offline"))
        #expect(directory.offlinePartitions[partition]?.contains("Read-only") == true)
        #expect { try directory.create(topic: "u", id: topicID, partition: 0, config: config) } throws: {
            ($0 as? LogError)?.code == .offline
        }
        directory.tick(now: time.now)
        try directory.shutDown()
        try disk.makeReadOnly(false)
        (directory, _) = try open(disk)
        #expect(try numbers(in: #require(directory.log(for: partition))) == Array(0..<count))
        try directory.shutDown()
    }
}
