import Base
import ExportTestKit
import Exports
import TestKit
import Testing

/// Agents that ship with delays and outages, a pipeline that lags, owners that come, go and wake up late: whenever a marker stands that names no silent
/// agent, every line of its hour is counted in it; in the end every marker says what its hour holds.
@Suite struct MarkerSimulationTests {
    private static let hour: Int64 = 3_600_000
    private static let lateness: Int64 = 600_000

    private struct Line {
        var event: Int64
        /// When the agent gets to see it, within the lateness.
        var seen: Int64
    }

    private final class World {
        var random: SeededRandom
        var now: Int64 = 1_795_305_600_000
        var unread: [[Line]] = [[], [], []]
        var isDown = [false, false, false]
        /// What each agent said last; it says it later than it is true.
        var watermarks: [Int64?] = [nil, nil, nil]
        var logs: [[Line]] = [[], []]
        var exported: [Int] = [0, 0]
        var records: [[CommitRecord]] = [[], []]
        var markers: [String: HourMarker] = [:]
        var problems: [String] = []

        init(seed: UInt64) { random = SeededRandom(seed: seed) }

        func chain(_ partition: Int) -> ChainID {
            var chain = Fixture.chain
            chain.partition = Int32(partition)
            return chain
        }

        func step() {
            now += Int64.random(in: 1000...900_000, using: &random)
            for agent in 0..<3 {
                if random.oneIn(40) { isDown[agent].toggle() }
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    let event = now - Int64.random(in: 0..<300_000, using: &random)
                    unread[agent].append(
                        Line(event: event, seen: event + Int64.random(in: 0..<300_000, using: &random)))
                }
                if !isDown[agent] { ship(agent) }
            }
            for partition in 0..<2 where random.oneIn(2) { export(partition) }
        }

        func ship(_ agent: Int) {
            let ready = unread[agent].filter { $0.seen <= now }
            unread[agent].removeAll { $0.seen <= now }
            logs[agent % 2] += ready
            if random.oneIn(2) { watermarks[agent] = now }
        }

        func export(_ partition: Int) {
            let from = exported[partition]
            let to = Int.random(in: from...logs[partition].count, using: &random)
            guard to > from else { return }
            var folders: [String: Int64] = [:]
            for line in logs[partition][from..<to] {
                folders[TableLayout().folder(TableLayout().key(Timestamp(milliseconds: line.event))), default: 0] += 1
            }
            let index = Int64(records[partition].count)
            let files = folders.sorted { $0.key < $1.key }.map { folder, rows in
                CommitRecord.File(
                    stagedName: "", finalPath: "\(folder)/part-\(partition)-\(index)", length: 0, rows: rows, crc32c: 0)
            }
            var record = Fixture.record(index, .commit, Int64(from), Int64(to), files: files)
            record.chain = chain(partition)
            records[partition].append(record)
            exported[partition] = to
        }

        /// Lines of a folder that agents have seen or hold, those still to be read included.
        func lines(of folder: String) -> Int64 {
            let all = logs.joined().map(\.event) + unread.joined().map(\.event)
            return Int64(
                all.count { TableLayout().folder(TableLayout().key(Timestamp(milliseconds: $0))) == folder })
        }

        func write(_ marker: HourMarker) {
            if marker.agents.allSatisfy({ !$0.isSilent }), marker.rows != lines(of: marker.folder), !hadSilence {
                problems.append(
                    "\(marker.folder) was said to be final with \(marker.rows) of \(lines(of: marker.folder)) rows")
            }
            if marker.agents.contains(where: \.isSilent) { hadSilence = true }
            markers[marker.folder] = marker
        }

        /// After an agent was given up its lines may come late, whatever later markers say.
        var hadSilence = false
    }

    /// An owner between what it read and what it does next.
    private final class Owner {
        var machine = MarkerMachine(
            pipeline: Fixture.chain.pipeline, table: Fixture.chain.table, layout: TableLayout(),
            settings: .init(lateness: .milliseconds(lateness), silentAfter: .seconds(5 * 3600)))
        var next = [0, 0]
        var pending: [MarkerMachine.Action] = []

        func look(_ world: World) {
            let reports = world.watermarks.enumerated().compactMap { index, watermark in
                watermark.map {
                    MarkerMachine.AgentReport(name: "agent\(index)", watermark: Timestamp(milliseconds: $0))
                }
            }
            guard reports.count == 3 else { return }
            let actions = machine.agentsReported(reports, wallTime: Timestamp(milliseconds: world.now))
            if !actions.isEmpty {
                if world.random.oneIn(10) {
                    machine.endsNotFound()
                } else {
                    machine.endsFound(
                        Dictionary(
                            uniqueKeysWithValues: (0..<2).map {
                                (MarkerMachine.PartitionID(world.chain($0)), Offset(Int64(world.logs[$0].count)))
                            }))
                }
            }
            for partition in 0..<2 {
                for record in world.records[partition][next[partition]...] { machine.published(record) }
                next[partition] = world.records[partition].count
            }
            pending = machine.check(wallTime: Timestamp(milliseconds: world.now))
        }

        func act(_ world: World) {
            for action in pending {
                switch action {
                case .findEnds: break
                case .readMarker(let folder): machine.markerRead(world.markers[folder], in: folder)
                case .write(let marker):
                    if world.random.oneIn(10) {
                        machine.markerFailed(in: marker.folder)
                    } else {
                        world.write(marker)
                        machine.markerWritten(marker, isThere: true)
                    }
                }
            }
            pending = []
        }
    }

    @Test(arguments: UInt64(1)...60)
    func aMarkerNeverPromisesMoreThanStandsThere(seed: UInt64) {
        let world = World(seed: seed)
        var owner = Owner()
        var asleep: Owner?
        for _ in 0..<400 {
            world.step()
            owner.look(world)
            owner.act(world)
            if world.random.oneIn(30) {
                // The old owner has decided, and acts only when it wakes up.
                owner.look(world)
                asleep = owner
                owner = Owner()
            }
            if world.random.oneIn(20) {
                asleep?.act(world)
                asleep = nil
            }
        }
        #expect(world.problems == [], "seed \(seed)")
        // Everything arrives; a last owner settles it.
        world.isDown = [false, false, false]
        world.now += 24 * Self.hour
        for agent in 0..<3 {
            world.ship(agent)
            world.watermarks[agent] = world.now
        }
        while world.exported != world.logs.map(\.count) { for partition in 0..<2 { world.export(partition) } }
        let last = Owner()
        for _ in 0..<200 {
            last.look(world)
            last.act(world)
        }
        let folders = Set(
            world.logs.joined().map { TableLayout().folder(TableLayout().key(Timestamp(milliseconds: $0.event))) })
        #expect(Set(world.markers.keys) == folders, "seed \(seed)")
        for (folder, marker) in world.markers {
            #expect(marker.rows == world.lines(of: folder), "seed \(seed) \(folder)")
        }
    }
}
