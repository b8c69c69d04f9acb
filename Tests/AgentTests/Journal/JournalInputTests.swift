import Base
import Foundation
import Testing

@testable import Agent

@Suite(.serialized, .enabled(if: FileManager.default.isExecutableFile(atPath: JournalRig.reader)))
struct JournalInputTests {
    private func entries(_ numbers: Range<Int>, units: Int = 3) -> [JournalRig.Entry] {
        numbers.map { JournalRig.Entry("m\($0)", unit: "u\($0 / 2 % units).service", number: $0) }
    }

    private func expectAll(_ range: Range<Int>, _ harvest: JournalHarvest) {
        let expected = range.map { "m\($0)" }
        #expect(harvest.messages.count == expected.count)
        #expect(harvest.messages == expected)
    }

    @Test func everyEntryComesInOrderUnderTheKeyOfItsUnit() throws {
        let rig = try JournalRig()
        try rig.write(entries(0..<1000))
        var harvest = JournalHarvest()
        let input = rig.input(rig.settings())
        harvest.take(from: input) { $0.lines.count >= 1000 }
        harvest.take(from: input, quietMilliseconds: 200)
        expectAll(0..<1000, harvest)
        for (index, line) in harvest.lines.enumerated() { #expect(line.key == "web/u\(index / 2 % 3).service") }
        #expect(harvest.events.isEmpty)
    }

    @Test func keysFallBackToTheIdentifierAndToTheJournal() throws {
        let rig = try JournalRig()
        try rig.write([
            .init("a", unit: "nginx.service", identifier: "nginx", number: 1),
            .init("b", identifier: "cron", number: 2),
            .init("c", number: 3),
        ])
        var harvest = JournalHarvest()
        harvest.take(from: rig.input(rig.settings())) { $0.lines.count >= 3 }
        #expect(harvest.lines.map(\.key) == ["web/nginx.service", "web/cron", "web/journal"])
    }

    @Test func linesSayWhatJournalctlSays() throws {
        let rig = try JournalRig()
        var odd = JournalRig.Entry("first", unit: "a.service", number: 1)
        odd.fields += [
            ("TABS", Array("a\tb\nc \"q\" \\ /".utf8)), ("BINARY", [0, 1, 0xFF, 0x41]), ("ESCAPE", [0x1B, 0x5B, 0x6D]),
            ("UMLAUT", Array("grüße 🙂 \u{85}".utf8)), ("GOOD", Array("grüße 🙂".utf8)), ("SAME", Array("1".utf8)),
            ("OTHER", Array("x".utf8)), ("SAME", Array("2".utf8)), ("SAME", [0xFE]), ("EMPTY", []),
            ("SURROGATE", [0xED, 0xA0, 0x80]), ("NOCHARACTER", [0xEF, 0xBF, 0xBF]), ("OVERLONG", [0xC0, 0x80]),
            ("LONG", Array(repeating: 0x61, count: 100_000)), ("DELETE", [0x61, 0x7F]),
        ]
        var generator = SystemRandomNumberGenerator()
        var all = [odd]
        for number in 2..<40 {
            var entry = JournalRig.Entry("r\(number)", number: number)
            for field in 0..<6 {
                let count = Int.random(in: 0...12, using: &generator)
                let isWild = field.isMultiple(of: 2)
                entry.fields.append(
                    (
                        "F\(field)",
                        (0..<count).map { _ in UInt8.random(in: isWild ? 0...255 : 32...126, using: &generator) }
                    ))
            }
            all.append(entry)
        }
        try rig.write(all)
        var harvest = JournalHarvest()
        harvest.take(from: rig.input(rig.settings())) { $0.lines.count >= all.count }
        let expected = try rig.journalctl()
        #expect(harvest.lines.count == expected.count)
        for (line, journalctl) in zip(harvest.lines, expected) {
            let (ours, theirs) = (journalObject(line.line), journalObject(journalctl))
            #expect(
                !ours.isEmpty && NSDictionary(dictionary: ours) == NSDictionary(dictionary: theirs),
                "\(line.line)\n\(journalctl)")
        }
    }

    @Test func aFieldThatIsTooLongIsNullAndCounted() throws {
        let rig = try JournalRig()
        var long = JournalRig.Entry("long", number: 1)
        long.fields += [
            ("TEXT", Array(repeating: 0x61, count: 9000)), ("BYTES", Array(repeating: 0xFF, count: 3000)),
            ("SMALL", Array("s".utf8)),
        ]
        try rig.write([long, .init("after", number: 2)])
        var settings = rig.settings()
        settings.entryBytesMax = .kib(8)
        var harvest = JournalHarvest()
        harvest.take(from: rig.input(settings), quietMilliseconds: 400)
        #expect(harvest.messages == ["long", "after"])
        let object = journalObject(harvest.lines[0].line)
        #expect(object["TEXT"] is NSNull && object["BYTES"] is NSNull)
        #expect(object["SMALL"] as? String == "s")
        guard case .lineCut(_, let bytes)? = harvest.events.first else {
            Issue.record("\(harvest.events)")
            return
        }
        #expect(bytes > 12_000)
    }

    @Test func filtersArePassedToTheLibrary() throws {
        let rig = try JournalRig()
        try rig.write([
            .init("1", unit: "nginx.service", identifier: "nginx", priority: 6, number: 1),
            .init("2", unit: "cron.service", identifier: "cron", priority: 3, number: 2),
            .init("3", unit: "nginx.service", identifier: "other", priority: 4, number: 3),
            .init("4", unit: "ssh.service", identifier: "sshd", priority: 2, number: 4),
        ])
        func read(_ change: (inout JournalInputSettings) -> Void) -> [String] {
            var settings = rig.settings()
            change(&settings)
            var harvest = JournalHarvest()
            harvest.take(from: rig.input(settings), quietMilliseconds: 300)
            return harvest.messages
        }
        #expect(read { $0.units = ["nginx"] } == ["1", "3"])
        #expect(read { $0.units = ["nginx.service", "ssh.service"] } == ["1", "3", "4"])
        #expect(read { $0.identifiers = ["cron", "nginx"] } == ["1", "2"])
        #expect(read { $0.priority = 3 } == ["2", "4"])
        #expect(
            read {
                $0.units = ["nginx"]; $0.priority = 4
            } == ["3"])
        #expect(read { $0.isThisBootOnly = true } == [])
    }

    @Test func whatTheAgentItselfSaysIsPassedOverWithoutAGap() throws {
        let rig = try JournalRig()
        try rig.write([
            .init("1", unit: "nginx.service", number: 1),
            .init("mine", unit: "millrace-agent.service", number: 2),
            .init("mine too", unit: "millrace-agent.service", number: 3),
            .init("4", unit: "nginx.service", number: 4),
            .init("5", number: 5),
            .init("mine last", unit: "millrace-agent.service", number: 6),
        ])
        var settings = rig.settings()
        settings.ownUnit = "millrace-agent.service"
        var harvest = JournalHarvest()
        harvest.take(from: rig.input(settings), quietMilliseconds: 500) { harvest in
            harvest.checkpoint.flatMap { JournalPosition($0.position)?.realtimeMicroseconds }
                == 1_700_000_000_006_000
        }
        #expect(harvest.messages == ["1", "4", "5"])
        #expect(harvest.gaps.isEmpty, "what is left out is not missing")
        // The position is past what was left out: the next run doesn't look at it again.
        let checkpoint = try #require(harvest.checkpoint)
        #expect(JournalPosition(checkpoint.position)?.realtimeMicroseconds == 1_700_000_000_006_000)
    }

    @Test func onlyTheMachinesOwnJournalLeavesOutTheAgent() {
        var settings = JournalInputSettings()
        settings.leaveOut(ownUnit: "millrace-agent.service")
        #expect(settings.ownUnit == "millrace-agent.service")
        var folder = JournalInputSettings(directory: "/srv/journal")
        folder.leaveOut(ownUnit: "millrace-agent.service")
        #expect(folder.ownUnit == nil, "another machine's agent is not this one")
        var all = JournalInputSettings()
        all.shipsOwnMessages = true
        all.leaveOut(ownUnit: "millrace-agent.service")
        #expect(all.ownUnit == nil)
    }

    @Test func aQuietFilterMovesItsPosition() throws {
        let rig = try JournalRig()
        try rig.write(entries(0..<10))
        var settings = rig.settings()
        settings.identifiers = ["nobody"]
        var harvest = JournalHarvest()
        harvest.take(from: rig.input(settings), quietMilliseconds: 500) { $0.checkpoint != nil }
        let checkpoint = try #require(harvest.checkpoint)
        #expect(JournalPosition(checkpoint.position)?.realtimeMicroseconds == 1_700_000_000_009_000)
    }

    @Test func aNewRunGoesOnAtAnyBoundary() throws {
        let rig = try JournalRig()
        try rig.write(entries(0..<60))
        let all = rig.input(rig.settings())
        var positions: [StreamPosition] = []
        var count = 0
        while count < 60 {
            switch all.poll(now: SystemTime().now) {
            case .block(let block):
                var byte = 0
                _ = block.forEachLine {
                    byte += $0.count + 1
                    positions.append(block.position(atByte: byte))
                    count += 1
                    return true
                }
            case .event, .idle: usleep(1000)
            }
        }
        for index in [0, 1, 30, 58, 59] {
            let checkpoint = StreamCheckpoint(
                stream: StreamID(99), source: SourceKey("web/x"), position: positions[index])
            var harvest = JournalHarvest()
            let input = rig.input(rig.settings(), after: checkpoint)
            #expect(input.stream == StreamID(99))
            harvest.take(from: input, quietMilliseconds: 300)
            #expect(harvest.messages == ((index + 1)..<60).map { "m\($0)" })
            #expect(harvest.events.isEmpty)
        }
    }

    @Test func aReaderThatIsKilledAtAnyMomentLosesAndRepeatsNothing() throws {
        let rig = try JournalRig()
        let writer = try JournalRig.Writer(file: "\(rig.folder)/a.journal")
        var generator = SystemRandomNumberGenerator()
        var written = 0
        var kills = 0
        var harvest = JournalHarvest()
        let input = rig.input(rig.settings())
        while written < 4000 {
            let next = written + Int.random(in: 50...300, using: &generator)
            try writer.write(entries(written..<next))
            written = next
            let goal = harvest.lines.count + Int.random(in: 1...250, using: &generator)
            harvest.take(from: input, quietMilliseconds: 150) { $0.lines.count >= goal }
            if let pid = input.readerPID {
                kill(pid, SIGKILL)
                kills += 1
            }
        }
        try writer.finish()
        harvest.take(from: input, quietMilliseconds: 3000) { $0.lines.count >= written }
        harvest.take(from: input, quietMilliseconds: 300)
        expectAll(0..<written, harvest)
        #expect(kills >= 10)
        #expect(harvest.gaps.isEmpty)
        #expect(harvest.events.contains { if case .recovered = $0 { true } else { false } })
    }

    @Test func filesThatComeAndGoAreFollowed() throws {
        let rig = try JournalRig()
        try rig.write(entries(0..<50), to: "a")
        var harvest = JournalHarvest()
        let input = rig.input(rig.settings())
        harvest.take(from: input) { $0.lines.count >= 50 }
        try rig.write(entries(50..<100), to: "b")
        harvest.take(from: input, quietMilliseconds: 3000) { $0.lines.count >= 100 }
        unlink("\(rig.folder)/a.journal")
        try rig.write(entries(100..<150), to: "c")
        harvest.take(from: input, quietMilliseconds: 3000) { $0.lines.count >= 150 }
        harvest.take(from: input, quietMilliseconds: 300)
        expectAll(0..<150, harvest)
        #expect(harvest.gaps.isEmpty)
    }

    @Test func whatWasRemovedUnreadIsAGap() throws {
        let rig = try JournalRig()
        try rig.write(entries(0..<50), to: "a")
        var harvest = JournalHarvest()
        var input = rig.input(rig.settings())
        harvest.take(from: input) { $0.lines.count >= 50 }
        input.close()
        unlink("\(rig.folder)/a.journal")
        try rig.write(entries(80..<90), to: "b")
        input = rig.input(rig.settings(), after: harvest.checkpoint)
        harvest.take(from: input, quietMilliseconds: 400)
        #expect(harvest.messages == (Array(0..<50) + Array(80..<90)).map { "m\($0)" })
        #expect(harvest.gaps.count == 1)
    }

    @Test(arguments: [0.05, 0.3, 0.7, 0.95]) func aFileThatIsCutOrScrambledEndsNothing(share: Double) throws {
        let rig = try JournalRig()
        try rig.write(entries(0..<500), to: "a")
        let path = "\(rig.folder)/a.journal"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = Int(Double(bytes.count) * share)
        for index in place..<min(place + 4096, bytes.count) { bytes[index] = UInt8.random(in: 0...255) }
        try bytes.write(to: URL(fileURLWithPath: path))
        var harvest = JournalHarvest()
        let input = rig.input(rig.settings())
        harvest.take(from: input, quietMilliseconds: 500)
        truncate(path, off_t(place))
        harvest.take(from: input, quietMilliseconds: 300)
        // Whatever became of that file, the next one is read.
        try rig.write((1000..<1010).map { .init("m\($0)", number: $0) }, to: "b")
        harvest.take(from: input, quietMilliseconds: 4000) { $0.messages.last == "m1009" }
        #expect(harvest.messages.suffix(10) == (1000..<1010).map { "m\($0)" }[...])
        #expect(Set(harvest.messages.filter { $0 != "?" }).count == harvest.messages.filter { $0 != "?" }.count)
    }

    @Test func aReaderThatCannotStartIsTroubleUntilItCan() throws {
        let rig = try JournalRig()
        var settings = rig.settings()
        settings.directory = rig.folder + "/later"
        var harvest = JournalHarvest()
        let input = rig.input(settings)
        harvest.take(from: input, quietMilliseconds: 200)
        #expect(harvest.events.count == 1)
        guard case .trouble(_, let detail)? = harvest.events.first else {
            Issue.record("\(harvest.events)")
            return
        }
        #expect(detail.contains("No such file"))
        try FileManager.default.createDirectory(atPath: rig.folder + "/later", withIntermediateDirectories: true)
        try rig.write([.init("m", number: 1)], to: "later/a")
        harvest.take(from: input, quietMilliseconds: 3000) { $0.lines.count == 1 && $0.events.count == 2 }
        #expect(harvest.messages == ["m"])
        #expect(harvest.events.count == 2)
    }

    @Test func nobodyStaysBehindWhenTheInputGoes() throws {
        let rig = try JournalRig()
        try rig.write(entries(0..<10))
        var harvest = JournalHarvest()
        let input = rig.input(rig.settings())
        harvest.take(from: input) { $0.lines.count >= 10 }
        let pid = try #require(input.readerPID)
        input.close()
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
        guard case .idle(.distantFuture, nil) = input.poll(now: SystemTime().now) else {
            Issue.record("a closed input isn't idle")
            return
        }
    }
}
