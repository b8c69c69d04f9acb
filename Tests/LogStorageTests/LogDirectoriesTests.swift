import Base
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// Several directories of one broker, each on a disk of its own.
@Suite struct LogDirectoriesTests {
    private static let paths: [FilePath] = ["/a", "/b", "/c"]

    private final class Rig {
        let time = ManualTime(wallTime: noon)
        let disk: SimulatedFileSystem
        let facts = Machine.Facts()
        var logs: LogDirectories!
        var settings = LogDirectorySettings()

        init() {
            disk = SimulatedFileSystem(time: time)
            settings.reserve = .zero
        }

        func start(_ paths: [FilePath] = LogDirectoriesTests.paths) throws {
            let facts = facts
            logs = LogDirectories(
                paths: paths, fileSystem: disk, time: time, settings: settings, onFact: { facts.add($0) })
            try logs.open()
        }

        @discardableResult
        func make(_ number: Int32) throws -> PartitionLog {
            try logs.create(topic: "t", id: topicID, partition: number, config: LogConfig())
        }

        func log(_ number: Int32) -> PartitionLog? {
            logs.log(for: TopicPartition(topic: "t", partition: number), of: topicID)
        }

        func mayHold(_ number: Int32) -> String? { logs.mayHold(TopicPartition(topic: "t", partition: number)) }

        func restart(_ paths: [FilePath] = LogDirectoriesTests.paths) throws {
            disk.processKilled()
            try start(paths)
        }
    }

    @Test func partitionsGoWhereTheFewestAre() throws {
        let rig = Rig()
        try rig.start()
        for number in 0..<7 as Range<Int32> { try rig.make(number).add(["\(number)"]) }
        #expect(rig.logs.all.map(\.partitions.count).sorted() == [2, 2, 3])
        #expect { try rig.make(3) } throws: { ($0 as? LogError)?.code == .alreadyExists }
        try rig.logs.shutDown()
        try rig.start()
        #expect(!rig.facts.names.contains("unclean_start"))
        for number in 0..<7 as Range<Int32> { #expect(try rig.log(number)?.all().map(\.value) == ["\(number)"]) }
    }

    @Test func aDiskThatFailsTakesItsPartitionsAloneOfflineAndTheOthersRememberWhy() throws {
        let rig = Rig()
        try rig.start()
        for number in 0..<3 as Range<Int32> {
            try rig.make(number).add(["old"])
            _ = try rig.log(number)?.flush()
        }
        let victim = try #require(rig.log(1))
        let root = victim.directory
        try victim.add(["lost"])
        // Nothing can be written to it any more, so it can't note its own failure.
        rig.disk.fail(.sync, with: .inputOutput) { $0.starts(with: root) }
        #expect(throws: FileError.self) { try victim.flush() }
        #expect(victim.offlineReason != nil)
        for number in [0, 2] as [Int32] {
            let log = try #require(rig.log(number))
            try log.add(["new"])
            _ = try log.flush()
            #expect(try log.all(upTo: .highWatermark).map(\.value) == ["old", "new"])
        }
        // New ones are made elsewhere, though it has the fewest.
        for number in 3..<7 as Range<Int32> { #expect(try rig.make(number).directory != root) }

        // The disk says yes again, and holds no note.
        rig.disk.clearFaults()
        #expect(try rig.disk.status(root.appending("offline-reason")) == nil)
        try rig.restart()
        let offline = try #require(rig.logs.all.first { $0.path == root }?.offlineReason)
        #expect(offline.contains("\(root)/t-1") && offline.contains("offline-reason-"), "\(offline)")
        #expect(rig.log(1) == nil && rig.mayHold(1)?.contains("\(root)") == true)
        #expect { try rig.make(1) } throws: { ($0 as? LogError)?.code == .offline }
        for number in [0, 2, 3, 4, 5, 6] as [Int32] { #expect(rig.log(number) != nil) }
        // A third life too, also where one of the two that know has gone.
        let notes = try rig.disk.allFiles().filter { $0.string.contains("offline-reason-") }
        #expect(notes.count == 2)
        try rig.disk.unlink(notes[0])
        try rig.restart()
        #expect(rig.log(1) == nil)
        // Somebody has looked at the disk.
        try rig.disk.unlink(notes[1])
        try rig.restart()
        #expect(try rig.log(1)?.all().map(\.value).first == "old")
    }

    @Test func aDiskThatIsNotMountedIsOfflineAndNothingOfItIsBegunAnew() throws {
        let rig = Rig()
        try rig.start()
        for number in 0..<3 as Range<Int32> { try rig.make(number).add(["x"]) }
        let root = try #require(rig.log(1)).directory
        try rig.logs.shutDown()
        try rig.disk.rename(root, to: "/elsewhere")
        try rig.disk.createDirectory(root)
        try rig.restart()
        #expect(rig.logs.all.first { $0.path == root }?.offlineReason?.contains("mount its disk") == true)
        #expect(rig.log(1) == nil && rig.mayHold(1)?.contains("mount its disk") == true)
        #expect(rig.mayHold(99) != nil)
        #expect(try rig.disk.list(root).isEmpty)
        #expect(try rig.log(0)?.all().count == 1)
        rig.disk.processKilled()
        try rig.disk.removeDirectory(root)
        try rig.disk.rename("/elsewhere", to: root)
        try rig.start()
        #expect(try rig.log(1)?.all().count == 1)
        #expect(rig.mayHold(99) == nil)
    }

    @Test func aDirectoryThatTheSettingsNameNoMoreIsMissed() throws {
        let rig = Rig()
        try rig.start()
        for number in 0..<3 as Range<Int32> { try rig.make(number).add(["x"]) }
        let root = try #require(rig.log(2)).directory
        let rest = Self.paths.filter { $0 != root }
        try rig.restart(rest)
        #expect(rig.facts.names.contains("directory_offline"))
        #expect(rig.mayHold(2)?.contains("\(root) was used together") == true)
        #expect(rig.log(0) != nil)
        // Given up: its line goes.
        for path in rest {
            try rig.disk.overwrite(path.appending("log-directories")) { bytes in
                bytes = Array(rest.map { $0.string + "\n" }.joined().utf8)
            }
        }
        try rig.restart(rest)
        #expect(rig.mayHold(2) == nil)
        #expect(try rig.make(2).all().isEmpty)
    }

    /// Whichever of its steps the first start with a new disk does not survive, the next one takes the disk for new and not for one that is missing.
    @Test func aFirstStartMayBeCutAnywhere() throws {
        for cut in 1... {
            let rig = Rig()
            try rig.start(["/a"])
            try rig.make(0).add(["x"])
            _ = try rig.log(0)?.flush()
            rig.disk.processKilled()
            let begun = rig.disk.operationCount
            rig.disk.stopAt(operation: begun + cut)
            let isThrough = (try? rig.start()) != nil
            rig.disk.stopAt(operation: nil)
            var random = SeededRandom(seed: UInt64(cut))
            rig.disk.crash(using: &random, survival: .dropUnsynced)
            try rig.start()
            #expect(rig.logs.all.allSatisfy { $0.offlineReason == nil }, "cut at \(cut)")
            #expect(try rig.log(0)?.all().map(\.value) == ["x"])
            if isThrough { break }
        }
    }

    @Test func aFolderThatWasBegunOnADiskThatFailedGivesWayToTheOneWithRecords() throws {
        let rig = Rig()
        try rig.start(["/a", "/b"])
        rig.disk.fail(.syncDirectory, with: .inputOutput, count: 1) { $0 == "/a" || $0 == "/a/t-0" }
        let log = try rig.make(0)
        #expect(log.directory == "/b")
        try log.add(["x"])
        _ = try log.flush()
        rig.disk.processKilled()
        for file in try rig.disk.allFiles() where file.string.contains("offline-reason") { try rig.disk.unlink(file) }
        try rig.start(["/a", "/b"])
        #expect(try rig.log(0)?.all().map(\.value) == ["x"] && rig.log(0)?.directory == "/b")
        #expect(rig.logs.offlinePartitions.isEmpty)
    }

    @Test func aPartitionWithRecordsInTwoPlacesIsServedFromNeither() throws {
        let rig = Rig()
        for path in ["/a", "/b"] as [FilePath] {
            try rig.start([path])
            try rig.make(0).add(["\(path)"])
            try rig.logs.shutDown()
        }
        try rig.start(["/a", "/b"])
        #expect(rig.log(0) == nil && rig.mayHold(0)?.contains("it stands in /a and /b") == true)
        #expect { try rig.make(0) } throws: { ($0 as? LogError)?.code == .offline }
        #expect(try rig.make(1).add(["y"]).lastOffset == Offset(0))
    }

    @Test func aDirectoryOfAnotherProcessStopsTheStart() throws {
        let rig = Rig()
        try rig.start(["/b"])
        #expect { try LogDirectories(paths: ["/a", "/b"], fileSystem: rig.disk, time: rig.time).open() } throws: {
            ($0 as? LogError)?.code == .locked
        }
        // What was opened before is free again.
        try LogDirectories(paths: ["/a"], fileSystem: rig.disk, time: rig.time).open()
    }

    @Test func verifyKnowsWhatTheDirectoriesNote() throws {
        let rig = Rig()
        try rig.start()
        try rig.make(0).add(["x"])
        let scrubber = LogScrubber(rig.logs.all[0])
        for _ in 0..<4 { _ = scrubber.step() }
        rig.logs.all[1].shared.health.fail("its disk is old")
        try? rig.logs.shutDown()
        let report = try LogVerifier(path: "/a", fileSystem: rig.disk, isInUse: false).run()
        let names = try rig.disk.list("/a").map(\.name)
        #expect(names.contains("log-directories") && names.contains("scrub-position"))
        #expect(names.contains { $0.hasPrefix("offline-reason-") })
        #expect(report.findings.isEmpty, "\(report.findings)")
    }
}
