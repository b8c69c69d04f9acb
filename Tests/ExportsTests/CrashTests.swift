import Base
import Events
import ExportTestKit
import Exports
import Synchronization
import SystemPackage
import TestKit
import Testing

extension TestOwner {
    func expectExactlyOnce(
        _ fileSystem: SimulatedFileSystem, lost: Set<Int64> = [], _ comment: @autoclosure () -> String
    ) throws {
        let wrong = try problems(fileSystem, lost: lost)
        #expect(wrong.isEmpty, "\(comment()): \(wrong.prefix(5))")
    }

    /// What keeps the table from holding every record once.
    func problems(
        _ fileSystem: SimulatedFileSystem, removed: Set<String> = [], lost: Set<Int64> = []
    ) throws -> [String] {
        let contents = try TableContents(
            LocalStore(root: "/data/logs", fileSystem: fileSystem), fileSystem, Fixture.chain, removed: removed)
        var wrong = contents.problems
        for offset in 0..<topic.count {
            let wanted = topic.isFiltered(offset) || lost.contains(offset) ? 0 : 1
            let found = contents.offsets[offset, default: 0]
            if found != wanted { wrong.append("offset \(offset) stands \(found) times") }
        }
        return wrong
    }
}

@Suite struct CrashTests {
    private static let owner: @Sendable () -> TestOwner = { TestOwner(topic: TestTopic(count: 60), time: ManualTime()) }

    @Test func withoutAnyFaultEveryRecordIsThereOnce() async throws {
        let fileSystem = SimulatedFileSystem()
        let owner = Self.owner()
        let last = Mutex(Offset(0))
        try await owner.live(LocalStore(root: "/data/logs", fileSystem: fileSystem), seed: 1) { offset in
            last.withLock { $0 = offset }
        }
        try owner.expectExactlyOnce(fileSystem, "no fault")
        #expect(last.withLock { $0 } == Offset(60))
        let left = try fileSystem.allFiles(below: "/data/logs/.millrace").filter { !$0.string.hasSuffix(".commit") }
        #expect(left.isEmpty, "staging holds \(left)")
        #expect(
            try fileSystem.exists(
                "/data/logs/.millrace/nginx-to-jsonl/nginx/nginx.access-ASNFZ4mr/p00003/00000000000000000001.commit"))
    }

    /// The run is cut at every mutating call; what follows is a kill or a power cut of each kind, then another owner.
    @Test(arguments: [Survival?.none, .dropUnsynced, .keepAll, .torn])
    func cutAtEveryCall(survival: Survival?) async throws {
        let counting = SimulatedFileSystem()
        try await Self.owner().live(LocalStore(root: "/data/logs", fileSystem: counting), seed: 1)
        let step = survival == .keepAll || survival == .torn ? 2 : 1
        for operation in stride(from: 1, through: counting.operationCount, by: step) {
            let fileSystem = SimulatedFileSystem()
            let owner = Self.owner()
            var random = SeededRandom(seed: UInt64(operation))
            fileSystem.stopAt(operation: operation)
            await #expect(throws: ExportError.self) {
                try await owner.live(LocalStore(root: "/data/logs", fileSystem: fileSystem), seed: 1)
            }
            // And a second time, while the first cut is being repaired.
            for _ in 0..<(random.oneIn(2) ? 1 : 0) {
                Self.cut(fileSystem, survival, &random)
                fileSystem.stopAt(operation: fileSystem.operationCount + Int.random(in: 1...40, using: &random))
                _ = try? await owner.live(LocalStore(root: "/data/logs", fileSystem: fileSystem), seed: random.next())
            }
            Self.cut(fileSystem, survival, &random)
            try await owner.live(LocalStore(root: "/data/logs", fileSystem: fileSystem), seed: random.next())
            // What was committed is durable: nothing depends on what no sync confirmed.
            fileSystem.crash(using: &random, survival: .dropUnsynced)
            try owner.expectExactlyOnce(fileSystem, "cut at \(operation), \(survival.map { "\($0)" } ?? "killed")")
        }
    }

    private static func cut(_ fileSystem: SimulatedFileSystem, _ survival: Survival?, _ random: inout SeededRandom) {
        if let survival { fileSystem.crash(using: &random, survival: survival) } else { fileSystem.processKilled() }
    }

    /// Each kind of call fails once, at every place; the attempt ends with an error, and the next one goes on.
    @Test(arguments: [
        FileError.Operation.link, .write, .sync, .syncDirectory, .unlink, .open, .createDirectory, .removeDirectory,
    ])
    func everyCallFailsOnce(operation: FileError.Operation) async throws {
        var uneventful = 0
        for skip in 0..<400 {
            let fileSystem = SimulatedFileSystem()
            let owner = Self.owner()
            fileSystem.fail(operation, with: .inputOutput, skip: skip, count: 1)
            let store = LocalStore(root: "/data/logs", fileSystem: fileSystem)
            var isOver = true
            do { try await owner.live(store, seed: 3) } catch {
                #expect((error as? ExportError)?.isRetriable == true, "\(error)")
                fileSystem.clearFaults()
                try await owner.live(store, seed: 4)
                isOver = false
            }
            fileSystem.clearFaults()
            try owner.expectExactlyOnce(fileSystem, "\(operation) \(skip)")
            // Some failures cost nothing (a temporary file that stays); several in a row without any mean that the run is past its end.
            uneventful = isOver ? uneventful + 1 : 0
            if uneventful > 40 { return }
        }
    }

    @Test func aFullDiskStopsTheAttemptAndLosesNothing() async throws {
        let fileSystem = SimulatedFileSystem()
        let owner = Self.owner()
        let store = LocalStore(root: "/data/logs", fileSystem: fileSystem)
        fileSystem.diskBytes = ByteCount(3000)
        await #expect(throws: ExportError.self) { try await owner.live(store, seed: 3) }
        fileSystem.diskBytes = nil
        try await owner.live(store, seed: 4)
        try owner.expectExactlyOnce(fileSystem, "full disk")
    }

    @Test func aGapIsRecordedAndExportedBehind() async throws {
        let fileSystem = SimulatedFileSystem()
        let store = LocalStore(root: "/data/logs", fileSystem: fileSystem)
        var random = SeededRandom(seed: 5)
        let owner = Self.owner()
        let first = owner.export(store, &random)
        _ = try await first.start()
        try await owner.feed(first, 0..<30)
        try await first.stop()
        await #expect(throws: ExportError.self) {
            try await store.recordGap(
                of: Fixture.chain, to: Offset(30), note: "", attempt: .random(), wallTime: .none)
        }
        _ = try await store.recordGap(
            of: Fixture.chain, to: Offset(50), note: "retention", attempt: .random(), wallTime: owner.time.wallTime)
        let second = owner.export(store, &random)
        #expect(try await second.start() == Offset(50))
        try await owner.feed(second, 50..<60)
        try await second.stop()
        try owner.expectExactlyOnce(fileSystem, lost: Set(30..<50), "gap")
    }

    @Test func damageStopsWithAReason() async throws {
        let fileSystem = SimulatedFileSystem()
        let store = LocalStore(root: "/data/logs", fileSystem: fileSystem)
        let owner = Self.owner()
        try await owner.live(store, seed: 1)
        let indexes = try store.recordIndexes(of: Fixture.chain)
        let last = store.recordPath(indexes.count == 0 ? 0 : indexes[indexes.count - 1], of: Fixture.chain)
        try fileSystem.overwrite(last) { $0[20] ^= 0x40 }
        let error = await #expect(throws: ExportError.self) { try await owner.live(store, seed: 2) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains(last.string) == true)
        try fileSystem.unlink(store.recordPath(1, of: Fixture.chain))
        let missing = await #expect(throws: ExportError.self) { try await owner.live(store, seed: 2) }
        #expect(missing?.message.contains("misses records 1..<2") == true, "\(missing?.message ?? "")")
    }

    @Test func anotherPipelinesFileIsNeverReplaced() async throws {
        let fileSystem = SimulatedFileSystem()
        let store = LocalStore(root: "/data/logs", fileSystem: fileSystem)
        let record = Fixture.record(1, .commit, 0, 10, files: [Fixture.file])
        let staged = try store.stage("0.json.gz", for: Fixture.attempt, of: Fixture.chain)
        try staged.write([UInt8](repeating: 7, count: 1234))
        try staged.finish()
        let final = FilePath("/data/logs/nginx/dt=2026-11-22/hour=07/part-x.json.gz")
        try fileSystem.createDirectory(final.removingLastComponent())
        _ = try fileSystem.open(final, .createNew)
        let error = #expect(throws: ExportError.self) { try store.publish(record, isFresh: true) }
        #expect(error?.code == .conflict)
    }
}
