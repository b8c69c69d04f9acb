import Base
import ExportTestKit
import Exports
import SystemPackage
import TestKit
import Testing

/// Old records go into archives, and the chain says what it said before: to owners, to audits, to those who slept meanwhile.
@Suite struct CollectionTests {
    private let disk = SimulatedFileSystem()
    private let topic = TestTopic(count: 300)
    private var store: LocalStore { LocalStore(root: "/data/logs", fileSystem: disk) }

    private func live(_ seed: UInt64, to count: Int64? = nil) async throws {
        let owner = TestOwner(topic: TestTopic(count: count ?? topic.count), time: ManualTime())
        try await owner.live(store, seed: seed)
    }

    private func recordFiles() throws -> [String] {
        try disk.list(store.chainFolder(Fixture.chain)).map(\.name).filter { $0.hasSuffix(".commit") }
    }

    private func records() throws -> [CommitRecord] {
        try store.recordIndexes(of: Fixture.chain).map { try #require(try store.record($0, of: Fixture.chain)) }
    }

    @Test func aCollectedChainSaysWhatItSaidAndGoesOn() async throws {
        try await live(1, to: 200)
        let before = try records()
        #expect(try store.collect(Fixture.chain, keep: 5) == before.count - 5)
        #expect(try recordFiles().count == 5)
        #expect(try records() == before)
        #expect(try store.collect(Fixture.chain, keep: 5) == 0)
        try await live(2)
        #expect(try store.collect(Fixture.chain, keep: 2) > 0)
        #expect(Array(try records().prefix(before.count)) == before)
        let report = try await ExportAudit(store).run()
        #expect(report.isFine, "\(report.findings)")
        #expect(report.chains.first?.to == Offset(topic.count))
        let contents = try TableContents(store, disk, Fixture.chain)
        #expect(contents.problems == [] && contents.offsets.values.allSatisfy { $0 == 1 })
    }

    /// Its index is free again, for the record that fenced it was collected.
    @Test func anOwnerThatSleptThroughACollectionIsFenced() async throws {
        try await live(1, to: 60)
        var random = SeededRandom(seed: 9)
        let owner = TestOwner(topic: topic, time: ManualTime())
        let sleeper = owner.export(store, &random)
        let start = try await sleeper.start().rawValue
        try await owner.feed(sleeper, start..<start + 2)
        try await live(2)
        _ = try store.collect(Fixture.chain, keep: 2)
        let before = try records()
        let error = await #expect(throws: ExportError.self) { try await sleeper.stop() }
        #expect(error?.code == .fenced)
        #expect(try records() == before)
        #expect(try recordFiles().count == 2)
        let contents = try TableContents(store, disk, Fixture.chain)
        #expect(contents.problems == [] && contents.offsets.values.allSatisfy { $0 == 1 })
    }

    @Test func aFileThatSuchAnOwnerLeftBehindDoesNotCount() async throws {
        try await live(1)
        let before = try records()
        _ = try store.collect(Fixture.chain, keep: 2)
        var ghost = before[3]
        ghost.attempt = Fixture.other
        try disk.createDirectory(store.chainFolder(Fixture.chain))
        let file = try disk.open(store.recordPath(3, of: Fixture.chain), .create)
        let bytes = ghost.encoded()
        _ = try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        #expect(try records() == before)
        #expect(try store.collect(Fixture.chain, keep: 2) == 1)
        #expect(try recordFiles().count == 2)
    }

    @Test func anArchiveThatIsGoneOrChangedIsSaid() async throws {
        try await live(1)
        _ = try store.collect(Fixture.chain, keep: 2)
        let folder = store.chainFolder(Fixture.chain).appending("archive")
        let path = folder.appending(try #require(try disk.list(folder).first?.name))
        var bytes = try #require(try disk.contents(of: path, bytesMax: .mib(1)))
        bytes[40] ^= 1
        try disk.replace(path, with: bytes)
        #expect(throws: ExportError.self) { try store.record(0, of: Fixture.chain) }
        try disk.unlink(path)
        let error = #expect(throws: ExportError.self) { try store.recordIndexes(of: Fixture.chain) }
        #expect(error?.message.contains("misses records 0..<") == true)
    }

    /// Killed or powered off at every call to the disk; the next collection finishes it.
    @Test(arguments: [Survival?.none, .dropUnsynced, .torn])
    func killedAtEveryStepNothingIsForgotten(survival: Survival?) async throws {
        for step in 1...1000 {
            let disk = SimulatedFileSystem()
            let owner = TestOwner(topic: TestTopic(count: 60), time: ManualTime())
            try await owner.live(LocalStore(root: "/data/logs", fileSystem: disk), seed: 1)
            let before = try records(disk)
            disk.stopAt(operation: disk.operationCount + step)
            let done = try? LocalStore(root: "/data/logs", fileSystem: disk).collect(Fixture.chain, keep: 3)
            var random = SeededRandom(seed: UInt64(step))
            if let survival {
                disk.crash(using: &random, survival: survival)
            } else {
                disk.processKilled()
            }
            disk.stopAt(operation: nil)
            #expect(try records(disk) == before, "step \(step)")
            _ = try LocalStore(root: "/data/logs", fileSystem: disk).collect(Fixture.chain, keep: 3)
            #expect(try records(disk) == before, "step \(step)")
            if done != nil { return #expect(step > 10) }
        }
        Issue.record("a collection never ends")
    }

    private func records(_ disk: SimulatedFileSystem) throws -> [CommitRecord] {
        let store = LocalStore(root: "/data/logs", fileSystem: disk)
        return try store.recordIndexes(of: Fixture.chain).map {
            try #require(try store.record($0, of: Fixture.chain))
        }
    }
}
