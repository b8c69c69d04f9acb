import Base
import ExportTestKit
import Exports
import Testing

@Suite struct MarkerMachineTests {
    private static let hour: Int64 = 3_600_000
    private static let start: Int64 = 1_795_305_600_000
    private static let folder = TableLayout().folder(TableLayout().key(Timestamp(milliseconds: start)))
    private static let partition = MarkerMachine.PartitionID(Fixture.chain)

    private func at(_ hours: Double) -> Timestamp {
        Timestamp(milliseconds: Self.start + Int64(hours * Double(Self.hour)))
    }

    private func machine(waits: Bool = true) -> MarkerMachine {
        MarkerMachine(
            pipeline: Fixture.chain.pipeline, table: Fixture.chain.table, layout: TableLayout(),
            settings: .init(lateness: .seconds(600), silentAfter: .seconds(7200), waitsForAgents: waits))
    }

    private func commit(_ index: Int64, to: Int64, rows: Int64 = 10, folder: String = folder) -> CommitRecord {
        var file = Fixture.file
        file.finalPath = "\(folder)/part-\(index).json.gz"
        file.rows = rows
        return Fixture.record(index, .commit, to - 10, to, files: [file])
    }

    private func agent(_ name: String, _ watermark: Timestamp?) -> MarkerMachine.AgentReport {
        .init(name: name, watermark: watermark, sources: ["\(name)/access.log"], sourcesTotal: 1)
    }

    /// Answers what `check` asks, with `standing` in the folder; returns what was written.
    private func settle(_ machine: inout MarkerMachine, _ standing: inout HourMarker?, now: Timestamp) -> [HourMarker] {
        var written: [HourMarker] = []
        while true {
            let actions = machine.check(wallTime: now)
            if actions.isEmpty { return written }
            for action in actions {
                switch action {
                case .findEnds: Issue.record("asked for ends by check")
                case .readMarker(let folder): machine.markerRead(standing, in: folder)
                case .write(let marker):
                    written.append(marker)
                    standing = marker
                    machine.markerWritten(marker, isThere: true)
                }
            }
        }
    }

    @Test func anHourIsFinalOnceEveryAgentPassedItAndAllThatWasShippedIsExported() {
        var machine = machine()
        var standing: HourMarker?
        machine.published(Fixture.record(0, .takeover, 0, 0))
        machine.published(commit(1, to: 10))
        #expect(machine.agentsReported([agent("a", at(1.5)), agent("b", at(1.1))], wallTime: at(1.6)) == [.findEnds])
        machine.endsFound([Self.partition: Offset(20)])
        #expect(settle(&machine, &standing, now: at(1.6)).isEmpty)
        machine.published(commit(2, to: 20, rows: 5))
        // Everything until 1.1 is exported, and the hour needs 1 h 10 min.
        #expect(settle(&machine, &standing, now: at(1.6)).isEmpty)
        #expect(machine.completeThrough == at(1.1))
        #expect(machine.agentsReported([agent("a", at(1.5)), agent("b", at(1.2))], wallTime: at(1.7)) == [.findEnds])
        machine.endsFound([Self.partition: Offset(20)])
        let written = settle(&machine, &standing, now: at(1.7))
        #expect(written.count == 1 && written[0].rows == 15 && written[0].files == 2 && written[0].generation == 1)
        #expect(written[0].positions == [.init(Fixture.chain, to: Offset(20))])
        #expect(written[0].sources == ["a/access.log", "b/access.log"])
        #expect(written[0].agents.map(\.isSilent) == [false, false])
        #expect(settle(&machine, &standing, now: at(1.8)).isEmpty)
    }

    @Test func lateRowsRaiseTheGeneration() {
        var machine = machine()
        var standing: HourMarker?
        machine.published(commit(0, to: 10))
        _ = machine.agentsReported([agent("a", at(2))], wallTime: at(2))
        machine.endsFound([Self.partition: Offset(10)])
        #expect(settle(&machine, &standing, now: at(2)).map(\.generation) == [1])
        machine.published(commit(1, to: 20, rows: 3))
        let later = settle(&machine, &standing, now: at(3))
        #expect(later.map(\.generation) == [2] && later[0].rows == 13)
    }

    @Test func anAgentThatIsSilentTooLongIsListedAndNoLongerWaitedFor() {
        var machine = machine()
        var standing: HourMarker?
        machine.published(commit(0, to: 10))
        let reports = { (now: Double) in [agent("dead", at(0.5)), agent("fine", at(now)), agent("new", nil)] }
        #expect(machine.agentsReported(reports(1.5), wallTime: at(1.5)) == [], "the new one is given its time")
        #expect(machine.agentsReported(reports(3.4), wallTime: at(3.4)) == [])
        // Each was first seen at 1.5.
        #expect(machine.agentsReported(reports(3.6), wallTime: at(3.6)) == [.findEnds])
        machine.endsFound([Self.partition: Offset(10)])
        let written = settle(&machine, &standing, now: at(3.6))
        #expect(written.map { $0.agents.filter(\.isSilent).map(\.name) } == [["dead", "new"]])
        #expect(written.first?.agents.first { $0.name == "new" }?.watermark == Timestamp.none)
    }

    @Test func withoutAnyAgentNothingIsFinalUnlessTheClockDecides() {
        var waiting = machine()
        #expect(waiting.agentsReported([], wallTime: at(50)) == [])
        var machine = machine(waits: false)
        var standing: HourMarker?
        machine.published(commit(0, to: 10))
        #expect(machine.agentsReported([], wallTime: at(1.2)) == [.findEnds])
        machine.endsFound([Self.partition: Offset(10)])
        #expect(settle(&machine, &standing, now: at(1.2)).count == 1)
    }

    @Test func aNewOwnerLeavesAMarkerThatSaysTheSameAndRaisesOneThatDoesNot() throws {
        var first = machine()
        var standing: HourMarker?
        first.published(commit(0, to: 10))
        _ = first.agentsReported([agent("a", at(2))], wallTime: at(2))
        first.endsFound([Self.partition: Offset(10)])
        _ = settle(&first, &standing, now: at(2))
        for (more, generations) in [(false, [Int64]()), (true, [2])] {
            var second = machine()
            second.published(commit(0, to: 10))
            if more { second.published(commit(1, to: 20)) }
            _ = second.agentsReported([agent("a", at(2.5))], wallTime: at(2.5))
            second.endsFound([Self.partition: Offset(10)])
            #expect(settle(&second, &standing, now: at(2.5)).map(\.generation) == generations)
        }
    }

    @Test func anOlderMarkerThatAFencedOwnerPutOverOursIsReplaced() {
        var machine = machine()
        var standing: HourMarker?
        machine.published(commit(0, to: 10))
        machine.published(commit(1, to: 20))
        _ = machine.agentsReported([agent("a", at(2))], wallTime: at(2))
        machine.endsFound([Self.partition: Offset(20)])
        #expect(machine.check(wallTime: at(2)) == [.readMarker(folder: Self.folder)])
        machine.markerRead(nil, in: Self.folder)
        guard case .write(let ours)? = machine.check(wallTime: at(2)).first else {
            Issue.record("nothing written")
            return
        }
        machine.markerWritten(ours, isThere: true)
        var stale = ours
        stale.rows = 10
        stale.files = 1
        standing = stale
        let again = settle(&machine, &standing, now: at(2.1))
        #expect(again.map(\.rows) == [20] && again.map(\.generation) == [2])
    }

    @Test func aFolderThatWasRemovedAndAMarkerOfAnotherPipelineAreLeftAlone() {
        var machine = machine()
        machine.published(commit(0, to: 10))
        _ = machine.agentsReported([agent("a", at(2))], wallTime: at(2))
        machine.endsFound([Self.partition: Offset(10)])
        _ = machine.check(wallTime: at(2))
        machine.markerRead(nil, in: Self.folder)
        guard case .write(var marker)? = machine.check(wallTime: at(2)).first else {
            Issue.record("nothing written")
            return
        }
        machine.markerWritten(marker, isThere: false)
        #expect(machine.check(wallTime: at(2)) == [])
        // Rows that come later bring the folder back.
        machine.published(commit(1, to: 20))
        #expect(machine.check(wallTime: at(2)) == [.readMarker(folder: Self.folder)])
        marker.pipeline = "other"
        machine.markerRead(marker, in: Self.folder)
        #expect(machine.check(wallTime: at(2)) == [])
    }

    @Test func rowsWithoutATimeHaveNoMarker() {
        var machine = machine()
        machine.published(commit(0, to: 10, folder: TableLayout().folder(TableLayout().key(nil))))
        _ = machine.agentsReported([agent("a", at(20))], wallTime: at(20))
        machine.endsFound([Self.partition: Offset(10)])
        #expect(machine.check(wallTime: at(20)) == [])
    }

    @Test func whatIsWrittenIsReadAndDamageIsFound() throws {
        let marker = HourMarker(
            pipeline: "p", table: "t", folder: "dt=2026-11-22/hour=07", generation: 3, rows: 12, files: 2,
            positions: [.init(Fixture.chain, to: Offset(99))],
            agents: [.init(name: "web1", watermark: at(2), isSilent: true)], sources: ["web1/a \"b\""], sourcesTotal: 7,
            madeAt: at(3))
        let bytes = marker.encoded()
        #expect(try HourMarker(encoded: bytes) == marker)
        for place in stride(from: 0, to: bytes.count, by: 5) {
            var damaged = bytes
            damaged[place] ^= 1
            #expect(throws: CommitRecordError.self, "byte \(place)") { try HourMarker(encoded: damaged) }
        }
    }

    @Test func foldersTellTheirEnd() {
        #expect(TableLayout().end(ofFolder: "dt=2026-11-22/hour=23")?.text == "2026-11-23T00")
        #expect(TableLayout(columns: [.dt]).end(ofFolder: "dt=2026-12-31")?.text == "2027-01-01T00")
        #expect(TableLayout(columns: [.hour, .dt]).end(ofFolder: "hour=05/dt=2026-11-22")?.text == "2026-11-22T06")
        #expect(TableLayout(columns: [.hour]).end(ofFolder: "hour=05") == nil)
        #expect(TableLayout().end(ofFolder: "dt=__HIVE_DEFAULT_PARTITION__/hour=__HIVE_DEFAULT_PARTITION__") == nil)
    }
}

extension Timestamp {
    fileprivate var text: String {
        let layout = TableLayout()
        return layout.folder(layout.key(self)).replacing("dt=", with: "").replacing("/hour=", with: "T")
    }
}
