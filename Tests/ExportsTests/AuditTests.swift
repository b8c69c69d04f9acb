import Base
import Events
import ExportTestKit
import Exports
import SystemPackage
import TestKit
import Testing

/// An audit of tables that are as they should be, and of tables that somebody touched.
@Suite struct AuditTests {
    private let disk = SimulatedFileSystem()
    private var store: LocalStore { LocalStore(root: "/data/logs", fileSystem: disk) }
    private let topic = TestTopic(count: 300)

    /// Two owners, one after the other, export the whole topic.
    private func export() async throws {
        let owner = TestOwner(topic: topic, time: ManualTime())
        try await owner.live(store, seed: 1)
        try await owner.live(store, seed: 2)
    }

    private func audit(readsFiles: Bool = true) async throws -> AuditReport {
        try await ExportAudit(store, readsFiles: readsFiles).run()
    }

    private func files() throws -> [FilePath] {
        try store.publishedFiles(of: Fixture.chain.table).map {
            FilePath("\(store.tableFolder(Fixture.chain.table))/\($0)")
        }
    }

    private func change(_ path: FilePath, _ body: (inout [UInt8]) -> Void) throws {
        var bytes = try #require(try disk.contents(of: path, bytesMax: .mib(1)))
        body(&bytes)
        try disk.replace(path, with: bytes)
    }

    @Test func aTableThatNobodyTouchedIsAsItsCommitsSay() async throws {
        try await export()
        let report = try await audit()
        #expect(report.isFine, "\(report.findings)")
        let wanted = (0..<topic.count).filter { !topic.isFiltered($0) }.count
        #expect(report.rowCount == Int64(wanted))
        #expect(report.fileCount == Int64(try files().count))
        let chain = try #require(report.chains.first)
        #expect(chain.from == Offset(0) && chain.to == Offset(topic.count) && chain.lostOffsetCount == 0)
        #expect(chain.takeoverCount == 2 && chain.recordCount == topic.count)
        #expect(try await store.summaries() == report.chains)
    }

    @Test func aFileThatWentIsMissingWithItsOffsets() async throws {
        try await export()
        try disk.unlink(try files()[3])
        let report = try await audit()
        #expect(report.findings.map(\.kind) == [.missing])
        #expect(report.findings[0].message.contains("offsets"))
    }

    @Test func anyByteThatWasChangedIsFound() async throws {
        try await export()
        let path = try files()[0]
        let count = try #require(try disk.contents(of: path, bytesMax: .mib(1))).count
        for place in stride(from: 0, to: count, by: 3) {
            try change(path) { $0[place] ^= 1 << UInt8(place % 8) }
            let report = try await audit()
            #expect(report.findings.map(\.kind) == [.checksum], "byte \(place)")
            try change(path) { $0[place] ^= 1 << UInt8(place % 8) }
        }
        try change(path) { $0.removeLast() }
        #expect(try await audit(readsFiles: false).findings.map(\.kind) == [.length])
    }

    @Test func aFileThatNoCommitNamesIsFound() async throws {
        try await export()
        let file = try files()[0]
        let copy = FilePath(file.string + ".copy.json.gz")
        try disk.link(file, to: copy)
        let report = try await audit()
        #expect(report.findings.map(\.kind) == [.unknown])
        #expect(copy.string.hasSuffix(report.findings[0].path))
    }

    @Test func aCommitRecordThatWasChangedStopsTheAuditWithItsPath() async throws {
        try await export()
        let path = store.recordPath(1, of: Fixture.chain)
        try change(path) { $0[20] ^= 1 }
        let error = await #expect(throws: ExportError.self) { try await audit() }
        #expect(error?.message.contains("\(path)") == true)
    }

    @Test func aSecondPipelineThatExportsTheSameIntoTheSameTableIsFound() async throws {
        try await export()
        var other = Fixture.chain
        other.pipeline = "other"
        let record = CommitRecord(
            chain: other, index: 0, attempt: .random(), kind: .takeover, from: Offset(290), to: Offset(290),
            leaderEpoch: LeaderEpoch(1), lastCommitIndex: -1, madeAt: .none)
        _ = try store.append(record)
        var gap = record
        gap.index = 1
        gap.kind = .gap
        gap.to = Offset(310)
        _ = try store.append(gap)
        let report = try await audit()
        #expect(report.findings.map(\.kind) == [.overlap])
        #expect(report.findings[0].message.contains("290..<300"))
    }

    @Test func aGapThatAnOperatorAcceptedIsCountedAndNoFinding() async throws {
        try await export()
        _ = try await store.recordGap(
            of: Fixture.chain, to: Offset(320), note: "retention", attempt: .random(), wallTime: .none)
        let report = try await audit()
        #expect(report.isFine)
        #expect(report.chains[0].lostOffsetCount == 20)
    }

    @Test func filesThatAreBeingPublishedArePendingAndNotMissing() async throws {
        try await export()
        var last = try #require(try await store.tail(of: Fixture.chain)?.lastCommit)
        let attempt = AttemptID.random()
        let takeover = CommitRecord(
            chain: Fixture.chain, index: try #require(try store.recordIndexes(of: Fixture.chain).last) + 1,
            attempt: attempt, kind: .takeover, from: last.to, to: last.to, leaderEpoch: LeaderEpoch(1),
            lastCommitIndex: last.index, madeAt: .none)
        _ = try store.append(takeover)
        let staged = try store.stage("0.json.gz", for: attempt, of: Fixture.chain)
        try staged.finish()
        last.index = takeover.index + 1
        last.attempt = attempt
        last.lastCommitIndex = takeover.lastCommitIndex
        last.from = takeover.to
        last.to = Offset(takeover.to.rawValue + 1)
        last.files = [.init(stagedName: "0.json.gz", finalPath: "dt=x/part.json.gz", length: 0, rows: 0, crc32c: 0)]
        _ = try store.append(last)
        let report = try await audit()
        #expect(report.isFine && report.pendingFileCount == 1, "\(report.findings)")
        try store.publish(last, isFresh: true)
        let later = try await audit()
        #expect(later.isFine && later.pendingFileCount == 0, "\(later.findings)")
    }

    private func marker(_ folder: String, rows: Int64, files: Int64, to: Int64) -> HourMarker {
        HourMarker(
            pipeline: Fixture.chain.pipeline, table: Fixture.chain.table, folder: folder, generation: 1, rows: rows,
            files: files, positions: [.init(Fixture.chain, to: Offset(to))], agents: [], sources: [], sourcesTotal: 0,
            madeAt: .none)
    }

    @Test func aMarkerHasToSayWhatTheCommitsSayThatItCounted() async throws {
        try await export()
        var folders: [String: (rows: Int64, files: Int64)] = [:]
        for index in try store.recordIndexes(of: Fixture.chain) {
            for file in try #require(try store.record(index, of: Fixture.chain)).files {
                let folder = file.finalPath.split(separator: "/").dropLast().joined(separator: "/")
                folders[folder, default: (0, 0)].rows += file.rows
                folders[folder]!.files += 1
            }
        }
        for (folder, held) in folders {
            #expect(try store.writeMarker(marker(folder, rows: held.rows, files: held.files, to: topic.count)))
        }
        let report = try await audit()
        #expect(report.isFine && report.markerCount == Int64(folders.count), "\(report.findings)")
        // One that counted less of the chain holds less, and is as true.
        let (folder, held) = try #require(folders.first)
        #expect(try store.writeMarker(marker(folder, rows: 0, files: 0, to: 0)))
        #expect(try await audit().isFine)
        for wrong in [
            marker(folder, rows: held.rows - 1, files: held.files, to: topic.count),
            marker(folder, rows: held.rows, files: held.files, to: topic.count + 1),
        ] {
            #expect(try store.writeMarker(wrong))
            #expect(try await audit().findings.map(\.kind) == [.marker])
        }
        try change(FilePath("\(store.tableFolder(Fixture.chain.table))/\(folder)/_SUCCESS")) { $0[30] ^= 1 }
        #expect(try await audit().findings.map(\.kind) == [.marker])
    }

    @Test func aMarkerIsNotWrittenWhereItsFolderIsGone() async throws {
        try await export()
        #expect(try !store.writeMarker(marker("dt=1999-01-01/hour=00", rows: 1, files: 1, to: 1)))
    }

    @Test func whatSourcesShippedIsComparedWithWhatWasExported() async throws {
        try await export()
        let exported = try #require(try await audit().sources.first)
        #expect(exported.gap == nil)
        #expect(exported.positions[.init(Fixture.chain)] == Offset(topic.count))
        let hours = Dictionary(grouping: exported.counts.filter { $0.key.source == "web1/a" }, by: \.key.hour)
        var lines = ["web1/a": hours.mapValues { $0.reduce(0) { $0 + $1.value } }, "web1/other": [1: 5]]
        let end = Timestamp(milliseconds: Int64(try #require(hours.keys.max()) + 1) * 3_600_000)
        let fine = exported.compare(with: lines, before: end)
        #expect(fine.problems == [] && fine.compared == hours.count && !hours.isEmpty)
        let hour = try #require(hours.keys.min())
        lines["web1/a"]![hour]! += 1
        #expect(exported.compare(with: lines, before: end).problems.count == 1)
        #expect(exported.compare(with: lines, before: Timestamp(milliseconds: Int64(hour) * 3_600_000)).compared == 0)
    }

    @Test func sourcesAreCountedInTheCommitsAndManyAreCountedTogether() throws {
        var tally = SourceTally()
        for number in 0..<1000 { tally.add("s\(number)", hour: 7, records: 2) }
        tally.add(String(repeating: "x", count: 600), hour: 7, records: 1)
        #expect(tally.counts.count == SourceTally.entriesMax + 1)
        #expect(tally.counts.values.reduce(0, +) == 2001)
        var record = Fixture.record(1, .commit, 0, 2001, files: [Fixture.file])
        record.sources = tally
        #expect(try CommitRecord(encoded: record.encoded()) == record)
    }
}
