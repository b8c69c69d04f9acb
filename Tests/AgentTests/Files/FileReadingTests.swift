import Base
import Testing

@testable import Agent

@Suite struct FileReading {
    private let log = "/log/app.log"

    @Test func aLastLineWithoutItsEndWaits() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\npart")
        #expect(rig.read(for: .seconds(300)) == ["1"])
        try rig.restart()
        #expect(rig.read(for: .seconds(300)) == [])
        rig.write(" and end\n")
        #expect(rig.read() == ["part and end"])
    }

    @Test func aLineEndedWithinLingerAfterARenameIsNotBroken() throws {
        let rig = TailerRig()
        try rig.start()
        let old = rig.write("1\npart")
        #expect(rig.read() == ["1"])
        rig.rename(log, to: log + ".1")
        rig.write("2\n")
        #expect(rig.read(for: .seconds(8)) == ["2"])
        rig.write(" and end\n", into: old, log + ".1")
        #expect(rig.read() == ["part and end"])
    }

    @Test func aLineThatNobodyEndedIsDeliveredAsItStandsWhenLingerIsOver() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\npart")
        #expect(rig.read() == ["1"])
        rig.rename(log, to: log + ".1")
        #expect(rig.read(for: .seconds(12)) == ["part"])
        #expect(rig.events == [.lineUnterminated(SourceKey("h" + log), byteCount: 4)])
        try rig.restart()
        #expect(rig.read(for: .seconds(30)) == [])
    }

    /// To compare the first bytes with what is known of them, what was inflated is thrown away.
    @Test func aCompressedFileThatWasReadToItsEndIsSeenToEndThere() throws {
        let rig = TailerRig()
        let node = rig.disk.create("/log/a.gz")
        rig.disk.append(Gzip.compress(Array(repeating: UInt8(ascii: "x"), count: 3000)), to: node)
        let content = GzipContent(try rig.disk.open("/log/a.gz", .read), path: "/log/a.gz")
        #expect(try content.mark(at: 2000, count: 4096).length == 1000 && content.isFinal)
        #expect(try content.mark(at: 0, count: 1024).length == 1024 && content.isFinal)
    }

    @Test func startAtTheEndHoldsForTheFirstLookOnly() throws {
        let rig = TailerRig()
        rig.input.start = .end
        rig.write("old\n")
        try rig.start()
        #expect(rig.read() == [])
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.kill()
        rig.write("2\n")
        rig.write("3\n", to: "/log/other.log")
        try rig.start()
        #expect(Set(rig.read()) == ["2", "3"])
    }

    @Test func filesThatWereOldAtTheFirstLookBeginAtTheirEnd() throws {
        let rig = TailerRig()
        rig.input.ignoreOlder = .seconds(3600)
        rig.write("old\n", to: "/log/old.log")
        rig.pass(.seconds(7200))
        rig.write("1\n")
        try rig.start()
        #expect(rig.read() == ["1"])
        rig.write("2\n", to: "/log/old.log")
        #expect(rig.read() == ["2"])
    }

    @Test(arguments: 1...3) func oneSourceIsReadOnThoughItsYoungerFilesHoldAllDescriptors(descriptors: Int) throws {
        let rig = TailerRig()
        rig.settings.descriptorsMax = descriptors
        try rig.start()
        rig.write("0\n")
        #expect(rig.read() == ["0"])
        rig.kill()
        for number in 1...9 {
            for age in (1..<number).reversed() { rig.rename(log + ".\(age)", to: log + ".\(age + 1)") }
            rig.rename(log, to: log + ".1")
            rig.write("\(number)\n")
        }
        try rig.start()
        // Stalled: nothing is read, but what there is is opened.
        for _ in 0..<5 { _ = rig.tailer.attend(now: rig.time.now) }
        #expect(rig.read() == (1...9).map { "\($0)" })
        #expect(rig.disk.handlesPeak <= descriptors + 2)
    }

    @Test func manyFilesTakeTurnsAtAFewDescriptors() throws {
        let rig = TailerRig()
        rig.settings.descriptorsMax = 3
        rig.disk.handlesMax = 8
        try rig.start()
        var written: [String] = []
        for round in 0..<5 {
            for file in 0..<20 {
                rig.write("\(file)/\(round)\n", to: "/log/\(file).log")
                written.append("\(file)/\(round)")
            }
            if round == 2 { #expect(rig.read().count == 60) }
        }
        #expect(rig.read().count == 40)
        #expect(rig.events.isEmpty)
    }

    @Test func aCutIsToldThoughNothingCouldBeReadBeforeIt() throws {
        let rig = TailerRig()
        try rig.start()
        let node = rig.write("")
        #expect(rig.read() == [])
        // Nobody has room for a block.
        rig.write("1\n")
        _ = rig.tailer.attend(now: rig.time.now)
        rig.disk.truncate(node)
        rig.write("2\n")
        _ = rig.tailer.attend(now: rig.time.now)
        #expect(rig.read() == ["2"])
        #expect(rig.events == [.truncated(SourceKey("h" + log))])
    }

    /// While the end of a very long line was looked for.
    @Test func aCutWithinAVeryLongLineIsSeen() throws {
        let rig = TailerRig()
        rig.input.lineBytesMax = .kib(1)
        try rig.start()
        rig.write(String(repeating: "1", count: 9000))
        #expect(rig.read() == [])
        rig.cut(log)
        rig.write(String(repeating: "2", count: 12_000) + "\n3\n")
        #expect(rig.read() == [String(repeating: "2", count: 1024), "3"])
        rig.write("4\n")
        #expect(rig.read(for: .seconds(30)) == ["4"])
        #expect(rig.events.contains(.truncated(SourceKey("h" + log))))
    }

    @Test func whatNothingElseLeadsToIsNotClosedToMakeRoom() throws {
        let rig = TailerRig()
        rig.settings.descriptorsMax = 1
        try rig.start()
        rig.write("1\n", to: "/log/b.log")
        #expect(rig.read() == ["1"])
        let node = rig.write("2\n")
        #expect(rig.read() == ["2"])
        // Nobody tells of this, and the other file needs a descriptor.
        rig.disk.append(Array("3\n".utf8), to: node)
        rig.disk.unlink(log)
        rig.write("4\n", to: "/log/b.log")
        #expect(rig.read(for: .seconds(30)).sorted() == ["3", "4"])
        #expect(rig.gaps == 0)
    }

    @Test func changesAreFoundByPollingWhereNothingTellsOfThem() throws {
        let rig = TailerRig()
        rig.isBlind = true
        try rig.start()
        rig.write("1\n")
        #expect(rig.read(for: .seconds(3)) == ["1"])
        rig.write("2\n")
        rig.rename(log, to: log + ".1")
        rig.write("3\n")
        #expect(rig.read(for: .seconds(3)) == ["2", "3"])
    }

    @Test func whatTheEventsMissedIsFoundAtTheNextReconcile() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        let node = rig.disk.node(log)!
        rig.disk.append(Array("2\n".utf8), to: node)
        #expect(rig.read(for: .seconds(70)) == ["2"])
    }
}
