import Base
import Events
import ExportTestKit
import Exports
import Foundation
import Synchronization
import SystemPackage
import TestKit
import Testing

/// Owners that compete for one partition, each on its own thread, one call of the file system at a time: before every call a seeded
/// scheduler decides who goes on. So every owner is a zombie at every possible moment.
private final class Turnstile: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: Set<Int> = []
    private var alive: Set<Int> = []
    private var killed: Set<Int> = []
    private var turn: Int?

    func joined(_ owner: Int) { locked { _ = alive.insert(owner) } }

    func left(_ owner: Int) {
        locked {
            alive.remove(owner)
            if turn == owner { turn = nil }
        }
    }

    func kill(_ owner: Int) { locked { _ = killed.insert(owner) } }

    /// Called by an owner before each call: waits for its turn; true where it was killed meanwhile.
    func pass(_ owner: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if turn == owner { turn = nil }
        waiting.insert(owner)
        condition.broadcast()
        while turn != owner && !killed.contains(owner) { condition.wait() }
        waiting.remove(owner)
        return killed.contains(owner)
    }

    /// Waits until every live owner waits for its turn; who they are.
    func settled() -> [Int] {
        condition.lock()
        defer { condition.unlock() }
        while turn != nil || waiting.count < alive.count { condition.wait() }
        return waiting.sorted()
    }

    func give(_ owner: Int) { locked { turn = owner } }

    private func locked(_ body: () -> Void) {
        condition.lock()
        body()
        condition.broadcast()
        condition.unlock()
    }
}

/// The shared disk as one owner sees it.
private struct OwnerFileSystem: FileSystem {
    let base: SimulatedFileSystem
    let turnstile: Turnstile
    let owner: Int

    func pass(_ operation: FileError.Operation, _ path: FilePath) throws(FileError) {
        if turnstile.pass(owner) { throw FileError(.crashed, operation, path, detail: "this owner was killed") }
    }

    func open(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        try pass(.open, path)
        return OwnerFile(base: try base.open(path, mode), system: self, path: path)
    }
    func status(_ path: FilePath) throws(FileError) -> FileStatus? {
        try pass(.status, path)
        return try base.status(path)
    }
    func list(_ directory: FilePath) throws(FileError) -> [DirectoryEntry] {
        try pass(.list, directory)
        return try base.list(directory)
    }
    func createDirectory(_ path: FilePath) throws(FileError) {
        try pass(.createDirectory, path)
        try base.createDirectory(path)
    }
    func removeDirectory(_ path: FilePath) throws(FileError) {
        try pass(.removeDirectory, path)
        try base.removeDirectory(path)
    }
    func rename(_ source: FilePath, to target: FilePath) throws(FileError) {
        try pass(.rename, source)
        try base.rename(source, to: target)
    }
    func link(_ source: FilePath, to target: FilePath) throws(FileError) {
        try pass(.link, target)
        try base.link(source, to: target)
    }
    func unlink(_ path: FilePath) throws(FileError) {
        try pass(.unlink, path)
        try base.unlink(path)
    }
    func syncDirectory(_ path: FilePath) throws(FileError) {
        try pass(.syncDirectory, path)
        try base.syncDirectory(path)
    }
    func space(at path: FilePath) throws(FileError) -> (free: Int64, total: Int64) { try base.space(at: path) }
    func lock(_ path: FilePath) throws(FileError) -> any FileLock { try base.lock(path) }
}

private final class OwnerFile: File {
    let base: any File
    let system: OwnerFileSystem
    let path: FilePath

    init(base: any File, system: OwnerFileSystem, path: FilePath) {
        self.base = base
        self.system = system
        self.path = path
    }

    var descriptor: CInt? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        try base.read(into: buffer, at: position)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError) {
        try system.pass(.write, path)
        try base.write(bytes, at: position)
    }
    func sync() throws(FileError) {
        try system.pass(.sync, path)
        try base.sync()
    }
    func truncate(to size: Int64) throws(FileError) { try base.truncate(to: size) }
    func allocate(_ size: Int64) throws(FileError) { try base.allocate(size) }
    func status() throws(FileError) -> FileStatus { try base.status() }
    func close() { base.close() }
}

@Suite(.serialized) struct CompetitionTests {
    @Test(arguments: 0..<150)
    func everyRecordOnceWhoeverOwns(seed: UInt64) async throws {
        let problems = Problems()
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                do { try Self.compete(seed, problems) } catch { problems.add("\(error)") }
                continuation.resume()
            }
        }
        #expect(problems.all.isEmpty, "seed \(seed): \(problems.all.prefix(5))")
    }

    /// What went wrong on threads that are none of the test's own.
    final class Problems: Sendable {
        private let found = Mutex<[String]>([])
        var all: [String] { found.withLock { $0 } }
        func add(_ problem: String) { found.withLock { $0.append(problem) } }
    }

    private static func compete(_ seed: UInt64, _ problems: Problems) throws {
        var random = SeededRandom(seed: seed)
        let fileSystem = SimulatedFileSystem()
        let turnstile = Turnstile()
        let owner = TestOwner(topic: TestTopic(count: 60), time: ManualTime())
        var started = 0
        var steps = 0
        var removed: Set<String> = []
        var lost: Set<Int64> = []
        while steps < 3000 {
            steps += 1
            let waiting = turnstile.settled()
            if waiting.isEmpty || (started < 6 && waiting.count < 3 && random.oneIn(60)) {
                if started >= 6 { break }
                start(owner, fileSystem, turnstile, number: started, seed: random.next(), problems)
                started += 1
                continue
            }
            if random.oneIn(120) {
                turnstile.kill(waiting.randomElement(using: &random)!)
                continue
            }
            if random.oneIn(150) { try removeAFile(fileSystem, owner.topic, &random, &removed, &lost) }
            // Now and then one runs ahead a long way while the others sleep.
            let runner = waiting.randomElement(using: &random)!
            for _ in 0..<(random.oneIn(4) ? Int.random(in: 1...80, using: &random) : 1) {
                turnstile.give(runner)
                guard turnstile.settled().contains(runner) else { break }
            }
        }
        for survivor in turnstile.settled() { turnstile.kill(survivor) }
        while !turnstile.settled().isEmpty {}
        fileSystem.processKilled()
        let last = LocalStore(root: "/data/logs", fileSystem: fileSystem)
        let seed = random.next()
        InlineExecutor.run {
            do { try await owner.live(last, seed: seed) } catch { problems.add("the last owner: \(error)") }
        }
        fileSystem.crash(using: &random, survival: .dropUnsynced)
        for problem in try owner.problems(fileSystem, removed: removed, lost: lost) { problems.add(problem) }
    }

    private static func start(
        _ owner: TestOwner, _ fileSystem: SimulatedFileSystem, _ turnstile: Turnstile, number: Int, seed: UInt64,
        _ problems: Problems
    ) {
        turnstile.joined(number)
        let seen = OwnerFileSystem(base: fileSystem, turnstile: turnstile, owner: number)
        Thread.detachNewThread {
            InlineExecutor.run {
                do { try await owner.live(LocalStore(root: "/data/logs", fileSystem: seen), seed: seed) } catch {
                    let isExpected = (error as? ExportError)?.isRetriable ?? false
                    if !isExpected { problems.add("owner \(number): \(error)") }
                }
            }
            turnstile.left(number)
        }
    }

    /// A person deletes a file of the table that is not of the last commit: it must never come back.
    private static func removeAFile(
        _ fileSystem: SimulatedFileSystem, _ topic: TestTopic, _ random: inout SeededRandom,
        _ removed: inout Set<String>,
        _ lost: inout Set<Int64>
    ) throws {
        let store = LocalStore(root: "/data/logs", fileSystem: fileSystem)
        let records = try store.recordIndexes(of: Fixture.chain).compactMap { try store.record($0, of: Fixture.chain) }
        let commits = records.filter { $0.kind == .commit }.dropLast()
        guard
            let file = commits.flatMap(\.files).filter({ !removed.contains($0.finalPath) }).randomElement(
                using: &random)
        else { return }
        let path = store.tableFolder(Fixture.chain.table).pushing(FilePath(file.finalPath))
        guard let bytes = try fileSystem.contents(of: path, bytesMax: .mib(1)) else { return }
        for line in try gunzip(bytes).split(separator: UInt8(ascii: "\n")) {
            if case .object(let fields) = try JSON.parse(Array(line)),
                case .int(let offset) = Event(fields)["kafka_offset"]
            {
                lost.insert(offset)
            }
        }
        removed.insert(file.finalPath)
        try fileSystem.unlink(path)
        try fileSystem.syncDirectory(path.removingLastComponent())
    }
}
