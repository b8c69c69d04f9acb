import Base
import SystemPackage
import TestKit
import Testing

struct SimulatedFileSystemTests {
    let disk = SimulatedFileSystem()

    private func write(_ text: String, to path: FilePath, at position: Int64 = 0, sync: Bool = false) throws {
        let file = try disk.open(path, .create)
        try Array(text.utf8).withUnsafeBytes { try file.write($0, at: position) }
        if sync { try file.sync() }
    }

    private func text(_ path: FilePath) throws -> String? {
        try disk.contents(of: path, bytesMax: .mib(1)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func powerCut(_ survival: Survival, seed: UInt64 = 1) {
        var random = SeededRandom(seed: seed)
        disk.crash(using: &random, survival: survival)
    }

    @Test func aFileWhoseNameWasNotSyncedIsGoneAfterAPowerCut() throws {
        try write("abc", to: "/a", sync: true)
        powerCut(.dropUnsynced)
        #expect(try text("/a") == nil)
    }

    @Test func syncedBytesAndNamesSurviveAndLaterOnesDoNot() throws {
        try write("abc", to: "/a", sync: true)
        try disk.syncDirectory("/")
        try write("def", to: "/a", at: 3)
        try disk.rename("/a", to: "/b")
        #expect(try text("/b") == "abcdef")
        powerCut(.dropUnsynced)
        #expect(try text("/a") == "abc")
        #expect(try text("/b") == nil)
    }

    @Test func replaceLeavesTheOldOrTheNewAfterACutAtAnyCall() throws {
        for stop in 1...12 {
            for survival in Survival.allCases {
                let disk = SimulatedFileSystem()
                try disk.replace("/x", with: Array("old".utf8))
                disk.stopAt(operation: disk.operationCount + stop)
                let finished = (try? disk.replace("/x", with: Array("newer".utf8))) != nil
                var random = SeededRandom(seed: UInt64(stop))
                disk.crash(using: &random, survival: survival)
                let bytes = try disk.contents(of: "/x", bytesMax: .kib(1)).map { String(decoding: $0, as: UTF8.self) }
                #expect(finished ? bytes == "newer" : bytes == "old" || bytes == "newer", "\(stop) \(survival)")
            }
        }
    }

    @Test func aKilledProcessLosesHandlesAndLocksButNoBytes() throws {
        let lock = try disk.lock("/lock")
        let file = try disk.open("/a", .create)
        try [1, 2, 3].withUnsafeBytes { try file.write($0, at: 0) }
        #expect(throws: FileError.self) { _ = try disk.lock("/lock") }
        disk.processKilled()
        #expect(throws: FileError.self) { try file.sync() }
        #expect(try disk.status("/a")?.size == 24)
        let again = try disk.lock("/lock")
        lock.release()
        #expect(throws: FileError.self) { _ = try disk.lock("/lock") }
        again.release()
    }

    @Test func afterTheStopEveryMutatingCallFailsAndReadsGoOn() throws {
        try write("abcd", to: "/a")
        disk.stopAt(operation: disk.operationCount + 1)
        #expect(throws: FileError.self) { try write("efgh", to: "/a", at: 4) }
        #expect(disk.isStopped)
        #expect(throws: FileError.self) { try disk.unlink("/a") }
        #expect(try text("/a") == "abcdef")
    }

    @Test func aFailedSyncLosesTheBytesThoughTheCacheShowsThem() throws {
        try write("abc", to: "/a", sync: true)
        try disk.syncDirectory("/")
        disk.fail(.sync, with: .inputOutput, count: 1) { $0 == "/a" }
        #expect(throws: FileError.self) { try write("def", to: "/a", at: 3, sync: true) }
        try write("", to: "/a", sync: true)
        #expect(try text("/a") == "abcdef")
        powerCut(.keepAll)
        #expect(try text("/a") == "abc")
    }

    @Test func aFullDiskRefusesGrowthAndTakesItAgainOnceThereIsRoom() throws {
        disk.diskBytes = .bytes(10)
        try write("12345678", to: "/a")
        #expect(throws: FileError.self) { try write("123", to: "/b") }
        try disk.unlink("/a")
        try write("1234567890", to: "/b")
        #expect(try disk.space(at: "/").free == 0)
    }

    @Test func tornWritesAreKeptDroppedOrCutAndTheSeedDecides() throws {
        var seen: Set<String> = []
        for seed in 0..<200 as Range<UInt64> {
            let outcomes = try (0..<2).map { _ in
                let disk = SimulatedFileSystem()
                let file = try disk.open("/a", .create)
                try disk.syncDirectory("/")
                for (place, letter) in "abc".utf8.enumerated() {
                    try [letter, letter].withUnsafeBytes { try file.write($0, at: Int64(place * 2)) }
                }
                var random = SeededRandom(seed: seed)
                disk.crash(using: &random, survival: .torn)
                return try disk.contents(of: "/a", bytesMax: .kib(1)).map { String(decoding: $0, as: UTF8.self) }
                    ?? "none"
            }
            #expect(outcomes[0] == outcomes[1])
            seen.insert(outcomes[0])
        }
        #expect(seen.contains("aabbcc") && seen.contains("") && seen.contains("\0\0\0\0cc") && seen.contains("aab"))
    }
}
